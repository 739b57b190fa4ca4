/**
 * Every error that a user can meet, in one place. `exit` is the command line's exit status, `http` the control API's. The title stands
 * when the thrower has nothing more exact to say, and so does the remedy. docs/errors.md documents each; a test compares both ways.
 */
export type CatalogueEntry = { title: string; cause: string; remedy: string; exit: number; http: number };

export const ERRORS = {
  GK_USAGE: {
    title: 'the command line is not understood',
    cause: 'An unknown verb or option, a missing argument, or an argument of the wrong form.',
    remedy: 'see: gatekeeper --help',
    exit: 2,
    http: 400,
  },
  GK_OUTPUT: {
    title: 'standard output cannot be written',
    cause: 'The disk behind it is full, or the device refuses. What was printed is not complete.',
    remedy: 'make room, or send the output elsewhere',
    exit: 1,
    http: 500,
  },
  GK_INTERNAL: {
    title: 'gatekeeper met a condition that it does not know',
    cause: 'A defect in gatekeeper. Nothing was allowed because of it.',
    remedy: 'run again with GATEKEEPER_DEBUG=1 and report what it prints',
    exit: 125,
    http: 500,
  },
  GK_DAEMON_NOT_RUNNING: {
    title: 'the daemon is not running',
    cause: 'Nothing answers on the control socket, and this verb does not start the daemon.',
    remedy: 'start it: gatekeeper daemon start',
    exit: 1,
    http: 503,
  },
  GK_DAEMON_START: {
    title: 'the daemon could not be started',
    cause: 'It ended before it answered, or did not answer in time; its log says why.',
    remedy: 'read the log, then try in the foreground: gatekeeper daemon run',
    exit: 125,
    http: 503,
  },
  GK_DAEMON_BUSY: {
    title: 'another daemon is running for this user',
    cause: 'There is one daemon a user, and its lock is held.',
    remedy: 'see: gatekeeper daemon status',
    exit: 1,
    http: 409,
  },
  GK_DAEMON_ANSWER: {
    title: 'the daemon gave an answer that is not understood',
    cause: 'The running daemon is of another version, or something else listens on its socket.',
    remedy: 'restart it: gatekeeper daemon stop && gatekeeper daemon start',
    exit: 125,
    http: 502,
  },
  GK_CONTROL_REFUSED: {
    title: 'the control socket refuses this caller',
    cause: 'The socket or its token belongs to another user, or this command runs inside a supervised run.',
    remedy: 'run it as the user who owns the daemon, outside every run',
    exit: 125,
    http: 401,
  },
  GK_HOME: {
    title: "gatekeeper's own directories cannot be used",
    cause:
      'The configuration, state or runtime directory cannot be made, is not owned by this user, or is open to others.',
    remedy: 'see: gatekeeper doctor',
    exit: 125,
    http: 500,
  },
  GK_POLICY_INVALID: {
    title: 'the policy is not valid',
    cause: 'A policy file has an error of syntax or meaning; it is refused as a whole.',
    remedy: 'see every error: gatekeeper policy check',
    exit: 125,
    http: 422,
  },
  GK_POLICY_NOT_FOUND: {
    title: 'there is no such policy',
    cause: '--policy or extends names neither a file nor a preset.',
    remedy: 'name a file, or one of the presets: gatekeeper policy show --presets',
    exit: 125,
    http: 404,
  },
  GK_POLICY_EDIT: {
    title: 'the policy file could not be changed',
    cause: 'The file has a form that cannot be edited without losing something, or cannot be written.',
    remedy: 'edit it by hand, then: gatekeeper policy check',
    exit: 1,
    http: 500,
  },
  GK_POLICY_CASES: {
    title: 'the cases cannot be used',
    cause: 'The file of cases is missing, has an error, or names no policy.',
    remedy: 'write cases as docs/policy.md shows',
    exit: 2,
    http: 422,
  },
  GK_POLICY_EXISTS: {
    title: 'the file exists already',
    cause: 'A policy is never replaced unless that is asked for.',
    remedy: 'name another file, or replace it: --force',
    exit: 1,
    http: 409,
  },
  GK_POLICY_IMPORT: {
    title: 'the rules cannot be imported',
    cause: 'The file cannot be read, is not JSON or YAML, or is of no format that is known.',
    remedy: 'say what it is: gatekeeper policy import --from claude-code FILE',
    exit: 1,
    http: 422,
  },
  GK_POLICY_TRUST: {
    title: 'the file cannot be trusted',
    cause:
      'There is no such file, nobody at the terminal agreed, or the list of trusted files cannot be read or written.',
    remedy: 'read the file, then: gatekeeper policy trust FILE',
    exit: 1,
    http: 422,
  },
  GK_GRANT: {
    title: 'the grant cannot be made or revoked',
    cause:
      'The subject is not one that rules can name, there is no such grant, or the store of grants cannot be read or written.',
    remedy: 'see: gatekeeper grants --help',
    exit: 1,
    http: 422,
  },
  GK_DESTINATION: {
    title: 'the destination is not understood',
    cause: 'It is not a host name, *.suffix, address, range or localhost, optionally with :port.',
    remedy: 'write it as in: gatekeeper net allow api.example.com:443',
    exit: 2,
    http: 400,
  },
  GK_KERNEL: {
    title: 'this kernel lacks something that enforcement needs',
    cause:
      'Landlock of ABI 6 or newer (Linux 6.12) or the seccomp listener is missing, or a surrounding sandbox forbids it.',
    remedy: 'see which: gatekeeper doctor',
    exit: 125,
    http: 501,
  },
  GK_SUPERVISOR_MISSING: {
    title: 'the supervisor program is missing',
    cause: 'gk-supervise was not built or was moved away.',
    remedy: 'build it: npm run build:native',
    exit: 125,
    http: 500,
  },
  GK_SUPERVISOR_START: {
    title: 'the supervisor could not be started',
    cause: 'The system refused to start gk-supervise.',
    remedy: 'see: gatekeeper doctor',
    exit: 125,
    http: 500,
  },
  GK_RUN_NOT_FOUND: {
    title: 'there is no such run',
    cause: 'No run known to the daemon has this identifier or name.',
    remedy: 'see: gatekeeper ps --all',
    exit: 1,
    http: 404,
  },
  GK_RUN_ENDED: {
    title: 'the run has ended',
    cause: 'The verb needs a run that is going on.',
    remedy: 'see: gatekeeper ps --all',
    exit: 1,
    http: 409,
  },
  GK_RUN_LIMIT: {
    title: 'there are too many runs',
    cause: 'The daemon holds as many runs as it is able to serve.',
    remedy: 'end one: gatekeeper ps, gatekeeper kill RUN',
    exit: 125,
    http: 429,
  },
  GK_REQUEST: {
    title: 'the request is not valid',
    cause: 'A request to the control API lacks something or has something that it should not have.',
    remedy: 'see docs for the control API: src/core/contract/control-api.ts',
    exit: 125,
    http: 400,
  },
  GK_AUDIT_MISSING: {
    title: 'there is no audit log',
    cause: 'Nothing was recorded yet, or the log lies elsewhere.',
    remedy: 'start a run first: gatekeeper run -- true',
    exit: 1,
    http: 404,
  },
  GK_AUDIT_ENTRY: {
    title: 'the audit log has no such entry',
    cause: 'No entry has this sequence number.',
    remedy: 'see: gatekeeper audit tail',
    exit: 1,
    http: 404,
  },
  GK_AUDIT_BROKEN: {
    title: 'the audit log was changed',
    cause: 'An entry, a link of the chain, or a signature does not fit.',
    remedy: 'keep a copy of the log, and treat everything from the named entry on as unproven',
    exit: 1,
    http: 500,
  },
  GK_AUDIT_PROOF: {
    title: 'there is no proof',
    cause: 'The log or its checkpoint does not bear it out, or the file is not a proof.',
    remedy: 'see: gatekeeper audit verify; then: gatekeeper audit prove',
    exit: 1,
    http: 422,
  },
  GK_AUDIT_READ: {
    title: 'the audit log cannot be read',
    cause: 'A file of it, or its directory, belongs to another user, or the disk gives an error.',
    remedy: 'read it as the user whose log it is, or verify a copy: gatekeeper audit verify --log DIRECTORY',
    exit: 125,
    http: 500,
  },
  GK_AUDIT_KEY: {
    title: 'the public key cannot be read',
    cause: 'The file is missing or is not an Ed25519 public key of gatekeeper.',
    remedy: 'name it: gatekeeper audit verify --public-key FILE',
    exit: 1,
    http: 500,
  },
  GK_AUDIT_PIN: {
    title: 'the signing key is not the pinned one',
    cause: 'The key of the audit log was replaced or taken away, or the file of pinned fingerprints was changed.',
    remedy:
      'put the keys directory back from a copy; after a change on purpose move the log and the pin file away, and a new log begins',
    exit: 125,
    http: 500,
  },
  GK_AUDIT_ROTATE: {
    title: 'the signing key was not changed',
    cause: 'The log cannot be written, a change is going on already, or its files cannot be written.',
    remedy: 'see: gatekeeper daemon status; then: gatekeeper audit rotate-key',
    exit: 1,
    http: 409,
  },
  GK_AUDIT_SETTINGS: {
    title: 'the settings of the audit log cannot be used',
    cause: 'The file has an error of syntax or meaning, or cannot be read; it is refused as a whole.',
    remedy: 'mend the file, or remove it: everything then is as it is without',
    exit: 125,
    http: 422,
  },
  GK_AUDIT_WRITE: {
    title: 'the audit log cannot be written',
    cause: 'The disk is full or the directory cannot be written. Nothing is allowed that cannot be recorded.',
    remedy: 'make room, then: gatekeeper daemon start',
    exit: 125,
    http: 507,
  },
  GK_EXPORT: {
    title: 'the entries could not be passed on',
    cause: 'The receiver refused them or did not answer, or the file for them cannot be written.',
    remedy: 'mend what is told, then do it again; with a cursor it goes on where it stopped',
    exit: 1,
    http: 502,
  },
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof ERRORS;

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}
