import { errnoName } from '../kernel/errno.ts';
import { SYSCALLS } from '../kernel/syscalls.ts';
import type { Frame, FrameFields } from '../wire/frame.ts';
import { ACTION, type ActionName, SOURCE, type SourceName, VERDICT, type VerdictName } from '../wire/messages.ts';
import { byteText } from './byte-text.ts';
import type { AuditFields } from './record.ts';
import { redact } from './redact.ts';

/** A rule, and who gave it where it is a standing answer of a person. */
export type RuleSaid = {
  label: string;
  reason: string;
  by?: Pick<AuditFields, 'grant' | 'approver' | 'answered'> | undefined;
};

/** What a journal record does not say itself: the run's name and policy, and what its rule numbers mean. */
export type RunContext = {
  run: string;
  agent: string;
  /** Digest of the image in force when the record was made. */
  policy: string;
  rule: (index: number) => RuleSaid | undefined;
};

/** The receipt for one journal record, or undefined for a frame that is none. */
export function journalRecord(frame: Frame, context: RunContext): AuditFields | undefined {
  if (frame.type === 'RESULT') return resultRecord(frame, context);
  const build = BUILDERS[frame.type];
  if (build === undefined) return undefined;
  const { fields } = frame;
  return {
    ...build(fields, context),
    time: timeOf(fields.TIME_NS),
    run: context.run,
    agent: context.agent,
    n: Number(frame.number),
    policy: fields.IMAGE_DIGEST ? imageName(fields.IMAGE_DIGEST) : context.policy,
    pid: integer(fields.PID),
  };
}

/** `sha256:` and 64 hex digits, as records and the control API name an image. */
export function imageName(digest: Uint8Array): string {
  // Record after record names the same image.
  if (digest.length !== last.digest.length || digest.some((byte, at) => byte !== last.digest[at])) {
    const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
    last = { digest: Uint8Array.from(digest), name: `sha256:${hex}` };
  }
  return last.name;
}

/** Exit status as a shell says it (128+n for signal n) from a wait status. */
export function shellStatus(waitStatus: bigint): number {
  const signal = Number(waitStatus & 0x7fn);
  return signal === 0 ? Number((waitStatus >> 8n) & 0xffn) : 128 + signal;
}

type Named = 'target' | 'target2' | 'program' | 'cwd' | 'destination' | 'alias' | 'called' | 'interpreter';
type Builder = (fields: FrameFields, context: RunContext) => Omit<AuditFields, 'time'>;

const BUILDERS: { [type in Frame['type']]?: Builder } = {
  DECISION: decision,
  RUN_START: (fields) => ({
    action: 'run_start',
    ...command(fields.COMMAND),
    ...named('cwd', fields.CWD),
    enforce: fields.ENFORCE && byteText(fields.ENFORCE).text,
    simulate: fields.SIMULATE === undefined ? undefined : fields.SIMULATE !== 0n,
    text: fields.TEXT && byteText(fields.TEXT).text,
  }),
  RUN_END: (fields) => ({
    action: 'run_end',
    status: fields.STATUS === undefined ? undefined : shellStatus(fields.STATUS),
    count: integer(fields.COUNT),
  }),
  NOTE: (fields) => ({
    ...kindOfNote(fields.KIND && byteText(fields.KIND).text),
    text: fields.TEXT && redact(byteText(fields.TEXT).text),
    ...named('program', fields.PROGRAM),
    ...named('target', fields.TARGET),
    count: integer(fields.COUNT),
  }),
};

/** Of a decision whose errno only its caller heard it is known that the call failed. */
function resultRecord({ fields, number }: Frame, { run, agent }: RunContext): AuditFields {
  return {
    action: 'result',
    time: timeOf(fields.TIME_NS),
    run,
    agent,
    n: Number(number),
    of: integer(fields.OF),
    result: fields.ERRNO === undefined ? 'failed' : errnoName(Number(fields.ERRNO)),
  };
}

function decision(fields: FrameFields, context: RunContext): Omit<AuditFields, 'time'> {
  const action = ACTION_NAMES.get(fields.ACTION ?? -1n) ?? (`action-${Number(fields.ACTION ?? 0n)}` as const);
  const rule = fields.RULE === undefined ? undefined : context.rule(Number(fields.RULE));
  const pierced = fields.PIERCED === undefined ? undefined : context.rule(Number(fields.PIERCED));
  const network = action === 'network';
  return {
    action,
    // A verdict that is not known must not read as an allow.
    verdict: VERDICT_NAMES.get(fields.VERDICT ?? -1n) ?? 'deny',
    source: SOURCE_NAMES.get(fields.SOURCE ?? -1n) ?? 'internal',
    rule: rule?.label ?? numbered(fields.RULE),
    pierced: pierced?.label ?? numbered(fields.PIERCED),
    ...rule?.by,
    reason: rule?.reason || (fields.REASON && byteText(fields.REASON).text),
    ...named('program', fields.PROGRAM),
    ...named(network ? 'destination' : 'target', fields.TARGET),
    ...named('target2', fields.TARGET2),
    ...command(fields.COMMAND),
    ...naming(fields),
    port: integer(fields.PORT),
    enforce: fields.ENFORCE && byteText(fields.ENFORCE).text,
    tid: fields.TID === fields.PID ? undefined : integer(fields.TID),
    syscall: fields.SYSCALL === undefined ? undefined : syscallName(Number(fields.SYSCALL)),
  };
}

/** By what else a command was judged. Most have nothing of it but the places. */
function naming({ ALIAS, CALLED, INTERPRETER, LINE, BY_INTERPRETER, MAY_WRITE }: FrameFields) {
  if (MAY_WRITE === undefined) return {};
  return {
    ...named('alias', ALIAS),
    ...named('called', CALLED),
    ...named('interpreter', INTERPRETER),
    ...command(LINE, 'line'),
    byInterpreter: BY_INTERPRETER === undefined ? undefined : true,
    mayWrite: byteText(MAY_WRITE).text,
  };
}

function named(name: Named, bytes: Uint8Array | undefined) {
  if (bytes === undefined) return {};
  const { text, bytes: raw } = byteText(bytes);
  return raw === undefined || name === 'destination' ? { [name]: text } : { [name]: text, [`${name}Bytes`]: raw };
}

/** A command whose text was redacted gives no bytes: they would tell what the text does not. */
function command(bytes: Uint8Array | undefined, name: 'command' | 'line' = 'command') {
  if (bytes === undefined) return {};
  const { text, bytes: raw } = byteText(bytes);
  const shown = redact(text);
  return raw === undefined || shown !== text ? { [name]: shown } : { [name]: shown, [`${name}Bytes`]: raw };
}

function timeOf(nanoseconds: bigint | undefined): string {
  return new Date(Number((nanoseconds ?? 0n) / 1_000_000n)).toISOString();
}

function integer(value: bigint | undefined): number | undefined {
  return value === undefined ? undefined : Number(value > MAX_SAFE ? MAX_SAFE : value);
}

/** What a journal could not take is a gap like any other. */
const kindOfNote = (kind: string | undefined): Pick<AuditFields, 'action' | 'kind'> => ({
  action: kind === 'degraded' || kind === 'unrecorded' ? 'gap' : 'note',
  kind,
});

/** A rule of an image that is gone is still named, by its number. */
const numbered = (index: bigint | undefined) => (index === undefined ? undefined : `rule ${index}`);
const syscallName = (nr: number) => SYSCALL_NAMES.get(nr) ?? String(nr);

let last: { digest: Uint8Array; name: string } = { digest: new Uint8Array(0), name: 'sha256:' };
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);
const inverse = <Name extends string>(table: Readonly<Record<Name, number>>) =>
  new Map((Object.entries(table) as [Name, number][]).map(([name, number]) => [BigInt(number), name]));
const ACTION_NAMES: ReadonlyMap<bigint, ActionName> = inverse(ACTION);
const VERDICT_NAMES: ReadonlyMap<bigint, VerdictName> = inverse(VERDICT);
const SOURCE_NAMES: ReadonlyMap<bigint, SourceName> = inverse(SOURCE);
const SYSCALL_NAMES: ReadonlyMap<number, string> = new Map(SYSCALLS.map(({ nr, name }) => [nr, name]));
