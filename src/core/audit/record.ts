import type { ActionName, SourceName, VerdictName } from '../wire/messages.ts';

/** Things worth a receipt that are not a decision. */
export const AUDIT_EVENTS = [
  'log_start', // the first entry of a log: its identifier and its first key
  'segment', // the first entry of each further file: what is needed to go on from here without those before it
  'key_change', // from the next entry on another key signs; signed by both
  'pruned', // files of the log that are removed, as its settings say
  'halt', // nothing is taken any more: the log cannot be written
  'resume', // it can be written again
  'daemon_start',
  'daemon_stop',
  'run_create',
  'run_start',
  'run_end',
  'run_lost', // the supervisor is gone without having said that the run ended
  'policy_change',
  'policy_error',
  'grant', // a person's standing answer to rules that ask
  'grant_revoked',
  'note', // something that a supervisor noticed
  'gap', // numbers of a run's journal that never came, or what a log that degrades could not take
  'result', // how a call ended that an earlier receipt allowed
  'damage', // journal bytes that are no record
  'connection_closed', // the end of a tunnel or exchange that a `network` receipt allowed
  'recovered', // the daemon mended the end of this log
] as const;
export type AuditEvent = (typeof AUDIT_EVENTS)[number];

/**
 * One receipt. Texts that are not valid UTF-8 stand escaped (`\xNN`, `\\`), with their bytes in base64 in the field `…Bytes` beside
 * them. Integers are safe integers. There is no nesting, so that a record's canonical form is one flat object.
 */
export type AuditFields = {
  action: ActionName | AuditEvent | `action-${number}`;
  /** RFC 3339, UTC, milliseconds. Recorded, never trusted. */
  time: string;
  run?: string | undefined;
  /** Number in the run's journal; (run, n) occurs once. */
  n?: number | undefined;
  /** The run's journal is in the log up to this number, which another receipt of the group or a repetition bears. */
  through?: number | undefined;
  agent?: string | undefined;
  pid?: number | undefined;
  tid?: number | undefined;
  program?: string | undefined;
  programBytes?: string | undefined;
  verdict?: VerdictName | undefined;
  source?: SourceName | undefined;
  rule?: string | undefined;
  pierced?: string | undefined;
  reason?: string | undefined;
  target?: string | undefined;
  targetBytes?: string | undefined;
  target2?: string | undefined;
  target2Bytes?: string | undefined;
  command?: string | undefined;
  commandBytes?: string | undefined;
  /** By what else a command was judged: the link it was called through; argv[0]'s name where it is another than theirs. */
  alias?: string | undefined;
  aliasBytes?: string | undefined;
  called?: string | undefined;
  calledBytes?: string | undefined;
  /** Of a script: its interpreter, what stands between that and the arguments, and whether `command` is the interpreter's. */
  interpreter?: string | undefined;
  interpreterBytes?: string | undefined;
  line?: string | undefined;
  lineBytes?: string | undefined;
  byInterpreter?: boolean | undefined;
  /** Three numbers in hex, of program, `alias` and `interpreter`: which names on the way down to it the user may write, whatever the policy says. */
  mayWrite?: string | undefined;
  destination?: string | undefined;
  address?: string | undefined;
  port?: number | undefined;
  via?: string | undefined;
  /** How the destination's name was known: connect, socks, http, dns, sni; literal when there was none. */
  known?: string | undefined;
  method?: string | undefined;
  bytesUp?: number | undefined;
  bytesDown?: number | undefined;
  durationMs?: number | undefined;
  path?: string | undefined;
  /** Of a request: it asks its server to read another method or path, so that rules for either knew nothing of it. */
  overridden?: boolean | undefined;
  /** Of a connection: the address is one of this machine's own, which a rule for everything does not mean. */
  own?: boolean | undefined;
  syscall?: string | undefined;
  /** SHA-256 of the policy image in force, `sha256:…`; `policyBefore` is the one that it follows. */
  policy?: string | undefined;
  policyBefore?: string | undefined;
  name?: string | undefined;
  cwd?: string | undefined;
  cwdBytes?: string | undefined;
  enforce?: string | undefined;
  simulate?: boolean | undefined;
  status?: number | undefined;
  /** Of what the action tells; of a refusal: how often it came, when more than once, and when last. */
  count?: number | undefined;
  until?: string | undefined;
  /** What became of what was allowed: `ok`, the name of an errno, `failed` where only the caller heard which. Absent: not known. */
  result?: string | undefined;
  /** Of a `result` on its own: the number in the run's journal of the decision that it belongs to. */
  of?: number | undefined;
  /** The standing grant that answered, who gave it (a user's name or number) and when. */
  grant?: string | undefined;
  approver?: string | undefined;
  answered?: string | undefined;
  /** Identifies the log: 32 hex digits, made when it began. */
  log?: string | undefined;
  /** The public key whose signatures follow, base64; `keyBefore` and `keySig` are those of a change (core/audit/key-change.ts). */
  key?: string | undefined;
  keyBefore?: string | undefined;
  keySig?: string | undefined;
  /** Of a `segment`: hashes of the whole subtrees of all entries before it (core/audit/merkle.ts), the largest first, base64 of all in a row. */
  tree?: string | undefined;
  /** Of `pruned`: the last entry that is gone, and the last file. */
  last?: number | undefined;
  segment?: number | undefined;
  kind?: string | undefined;
  text?: string | undefined;
  version?: string | undefined;
};

/** Where a chain stands: the last record's number and hash (64 hex digits). */
export type ChainHead = { seq: number; hash: string };

export type AuditRecord = AuditFields & ChainHead & { prev: string; v: 1; sig?: string };

export const CHAIN_START: ChainHead = { seq: 0, hash: '0'.repeat(64) };

/** Everything carries a signature of its own but plain allows, and what became of what was allowed. */
export function needsSignature(record: { action?: unknown; verdict?: unknown }): boolean {
  return record.verdict !== 'allow' && record.action !== 'connection_closed' && record.action !== 'result';
}
