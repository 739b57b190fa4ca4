import { type ActionName, SOURCE, type SourceName, VERDICT, type VerdictName } from '../wire/messages.ts';

/** Things worth a receipt that are not a decision. */
export const AUDIT_EVENT = {
  log_start: 'the first entry of a log: its identifier and its first key',
  segment: 'the first entry of each further file: what is needed to go on from here without those before it',
  key_change: 'from the next entry on another key signs; signed by both',
  pruned: 'files of the log that are removed, as its settings say',
  halt: 'nothing is taken any more: the log cannot be written',
  resume: 'it can be written again',
  daemon_start: 'a daemon looks after runs from here on',
  daemon_stop: 'it ended in order',
  run_create: 'a run was asked for, and what it may',
  run_start: 'its first program starts',
  run_end: 'it is over; `status` as a shell says it',
  run_lost: 'the supervisor is gone without having said that the run ended',
  policy_change: 'another image is in force for a run',
  policy_error: 'what a policy file says now is not taken',
  grant: "a person's standing answer to rules that ask",
  grant_revoked: 'it was taken back',
  note: 'something that a supervisor noticed',
  gap: "numbers of a run's journal that never came, or what a log that degrades could not take",
  result: 'how a call ended that an earlier receipt allowed',
  damage: 'journal bytes that are no record',
  connection_closed: 'the end of a tunnel or exchange that a `network` receipt allowed',
  recovered: 'the daemon mended the end of this log',
} as const satisfies Readonly<Record<string, string>>;
export type AuditEvent = keyof typeof AUDIT_EVENT;

/** What a member holds; `only`: the actions whose records it is in. */
type Member = {
  is: 'string' | 'integer' | 'boolean';
  about: string;
  among?: readonly string[];
  pattern?: string;
  only?: readonly (ActionName | AuditEvent)[];
};

type More = Omit<Partial<Member>, 'is' | 'about'>;

const text = (about: string, more: More = {}) => ({ is: 'string', about, ...more }) as const;
const number = (about: string, more: More = {}) => ({ is: 'integer', about, ...more }) as const;
const flag = (about: string, more: More = {}) => ({ is: 'boolean', about, ...more }) as const;
/** Of a text from the kernel: it is escaped (`\\xNN`, the backslash doubled) where it is no UTF-8, and then these are its bytes. */
const bytesOf = (name: string) =>
  text(`The bytes of \`${name}\` in base64, where they are no UTF-8.`, { pattern: BASE64 });

const BASE64 = '^[A-Za-z0-9+/]*={0,2}$';
export const TIME = '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$';
const names = <Name extends string>(table: Readonly<Record<Name, number>>) => Object.keys(table) as Name[];
const DECISIONS = [
  'file_read',
  'file_write',
  'file_delete',
  'shell_exec',
  'network',
  'unix_socket',
  'tool_call',
] as const;
const EGRESS = ['network', 'connection_closed'] as const;
const GRANTED = [...DECISIONS, 'grant', 'grant_revoked'] as const;

/**
 * The members of records beside `action`, `time` and those of the chain: schemas/audit-record.json and the type of a record are made from here. There is no
 * nesting, so that a record's canonical form is one flat object; integers are safe integers.
 */
export const MEMBERS = {
  run: text('The run.'),
  n: number('Number in the run’s journal, of the first of several that are told together; (run, n) occurs once.'),
  through: number('With this record everything of the run’s journal up to this number is in the log.'),
  agent: text('The run’s name.'),
  pid: number('Process that asked, or that the record is about.'),
  tid: number('Its thread, where that is another number.'),
  program: text('What the process runs, as the kernel names it.'),
  programBytes: bytesOf('program'),
  verdict: text('What was said. `would-deny`: a simulated run went on.', { among: names(VERDICT), only: DECISIONS }),
  source: text('Who spoke.', { among: names(SOURCE), only: DECISIONS }),
  rule: text('The rule that spoke, as layer, file and line; `grants:ID` of a grant.', { only: DECISIONS }),
  pierced: text('The rule that would have spoken, had that one not overridden it.', { only: DECISIONS }),
  reason: text('The rule’s reason, or the code of what no rule said.'),
  target: text('What was asked for: a canonical path, the address of a Unix socket; of a grant its pattern.'),
  targetBytes: bytesOf('target'),
  target2: text('The other name of a rename or link.', { only: DECISIONS }),
  target2Bytes: bytesOf('target2'),
  command: text('The command, words that need it in single quotes, without the secrets that were recognised.'),
  commandBytes: bytesOf('command'),
  alias: text('By what else a command was judged: the link that it was called through.', { only: ['shell_exec'] }),
  aliasBytes: bytesOf('alias'),
  called: text('The name in argv[0], where it is another than theirs.', { only: ['shell_exec'] }),
  calledBytes: bytesOf('called'),
  interpreter: text('Of a script: its interpreter.', { only: ['shell_exec'] }),
  interpreterBytes: bytesOf('interpreter'),
  line: text('Of a script: what stands between the interpreter and the arguments.', { only: ['shell_exec'] }),
  lineBytes: bytesOf('line'),
  byInterpreter: flag('Of a script: `command` is the interpreter’s.', { only: ['shell_exec'] }),
  mayWrite: text(
    'Three numbers in hex, of program, `alias` and `interpreter`: which names on the way down to it the user may write, whatever the policy says.',
    { only: ['shell_exec'] },
  ),
  destination: text('The name that was asked for, or the address where there was none.', { only: EGRESS }),
  address: text('The address that is dialled or was refused, where there is a name.', { only: EGRESS }),
  port: number('The port.', { only: [...EGRESS, 'unix_socket'] }),
  via: text('The door of the connection; `dns` for a question for a name alone.', { only: EGRESS }),
  known: text('How the name was known: connect, socks, http, dns, sni; `literal` when there was none.', {
    only: EGRESS,
  }),
  method: text('Of a request that is seen.', { only: ['network'] }),
  bytesUp: number('Bytes that the client sent.', { only: ['connection_closed'] }),
  bytesDown: number('Bytes that it was sent.', { only: ['connection_closed'] }),
  durationMs: number('How long it lasted.', { only: ['connection_closed', 'resume'] }),
  path: text('Of a request: the path without its query.', { only: ['network'] }),
  overridden: flag(
    'The request asks its server to read another method or path, so that rules for either knew nothing of it.',
    {
      only: ['network'],
    },
  ),
  own: flag('The address is one of this machine’s own, which a rule for everything does not mean.', {
    only: ['network'],
  }),
  syscall: text('The system call, by its name on x86-64.', { only: DECISIONS }),
  policy: text('SHA-256 of the policy image in force.', { pattern: '^sha256:' }),
  policyBefore: text('The image that it follows.', { pattern: '^sha256:', only: ['policy_change'] }),
  name: text('A name that was given.'),
  cwd: text('Where the run starts.'),
  cwdBytes: bytesOf('cwd'),
  enforce: text('`hook` where a process decides for itself; of a run’s start how it is enforced.'),
  simulate: flag('Refusals are recorded, and what was asked for goes on.'),
  status: number('Exit status as a shell says it: 128 and the signal’s number when one ended it.', {
    only: ['run_end'],
  }),
  count: number('Of a refusal: how often it came, when more than once. Else how many of what the action tells.'),
  until: text(
    'Of a refusal that came more than once: when last. Of a grant: until when it holds. Else the end of what is told.',
    {
      pattern: TIME,
    },
  ),
  result: text(
    'What became of what was allowed: `ok`, the name of an errno, `failed` where only the caller heard which, `certificate-untrusted`. Absent: not known.',
    { only: [...DECISIONS, 'result', 'connection_closed'] },
  ),
  of: number('The number in the run’s journal of the decision that this is the result of.', { only: ['result'] }),
  grant: text('The grant that answered.', { only: GRANTED }),
  approver: text('Who gave it: a user’s name or number.', { only: GRANTED }),
  answered: text('When.', { only: GRANTED }),
  log: text('Identifies the log; made when it began.', {
    pattern: '^[0-9a-f]{32}$',
    only: ['log_start', 'segment', 'key_change'],
  }),
  key: text('The public key whose signatures follow, base64.', {
    pattern: BASE64,
    only: ['log_start', 'segment', 'key_change'],
  }),
  keyBefore: text('The key whose signatures end here.', { pattern: BASE64, only: ['key_change'] }),
  keySig: text('The new key’s signature of the change.', { pattern: BASE64, only: ['key_change'] }),
  tree: text('Hashes of the whole subtrees of all entries before it, the largest first, base64 of all in a row.', {
    pattern: BASE64,
    only: ['segment'],
  }),
  last: number('The last entry that is gone; of `recovered` the last one that somebody else tells of.', {
    only: ['pruned', 'recovered'],
  }),
  segment: number('The file; of `pruned` the last one that is gone.', { only: ['segment', 'pruned'] }),
  kind: text('Which of several kinds of what the action tells.'),
  text: text('For people.'),
  version: text('Of gatekeeper.'),
} as const satisfies Readonly<Record<string, Member>>;

/** Whether what it has of these members is text, number and flag where it has to be: whoever shows a log that somebody else made relies on that. */
export function isOfItsKinds(record: object): boolean {
  for (const name in record) {
    const value: unknown = (record as Record<string, unknown>)[name];
    const kind = Object.hasOwn(MEMBERS, name) ? MEMBERS[name as keyof Members].is : OTHER_KINDS[name];
    if (kind === 'integer' ? !Number.isSafeInteger(value) : kind !== undefined && typeof value !== kind) return false;
    if (typeof value === 'object') return false;
  }
  return true;
}

const OTHER_KINDS: Readonly<Record<string, Member['is'] | undefined>> = {
  ...{ action: 'string', time: 'string', hash: 'string', prev: 'string', sig: 'string' },
  ...{ v: 'integer', seq: 'integer' },
};

type Members = typeof MEMBERS;
type Value<Name extends keyof Members> = Name extends 'verdict'
  ? VerdictName
  : Name extends 'source'
    ? SourceName
    : { string: string; integer: number; boolean: boolean }[Members[Name]['is']];

/** One receipt. */
export type AuditFields = {
  action: ActionName | AuditEvent | `action-${number}`;
  /** RFC 3339, UTC, milliseconds. Recorded, never trusted. */
  time: string;
} & { -readonly [Name in keyof Members]?: Value<Name> | undefined };
