import { stripVTControlCharacters } from 'node:util';
import type { AuditRecord } from '../../core/audit/record.ts';
import { AUDIT_EVENT } from '../../core/audit/record-members.ts';
import { visible, visibleShort } from '../../core/text/visible.ts';
import type { ReceiptAccount, RunOfReceipt } from '../receipt-account.ts';
import type { Proof } from '../receipt-proof.ts';
import type { RuleOfReceipt } from '../receipt-rule.ts';
import { durationText } from './amounts.ts';
import { localTime } from './clock.ts';
import { paint, paintVerdict } from './paint.ts';
import { reasonText } from './reason-text.ts';
import { subjectOf, traffic } from './receipt.ts';
import { KNOWN, SOURCES, VIA, WHAT } from './receipt-words.ts';
import { widthOf } from './width.ts';

/** Everything about one entry, for a person: a line for each thing, in the order in which one asks. */
export function receiptPage(account: ReceiptAccount, columns = Number.POSITIVE_INFINITY): string {
  const { record, run, rule, pierced, policy, result, alike, proof, toAllow, next } = account;
  const rows: Row[] = [
    ['what', whatText(record.action)],
    ...bytesRows(record),
    ...connectionRows(record),
    ['by', programText(record)],
    ...runRows(run),
    ['when', whenText(record)],
    ['verdict', record.verdict === undefined ? '' : verdictText(record, rule)],
    ...ruleRows(rule, 'rule'),
    ...ruleRows(pierced, 'pierced'),
    [
      '',
      policy === 'is not there' || policy === 'is not what it was'
        ? `the policy that decided ${policy}: no more is known of its rules`
        : '',
    ],
    ['approved', approvalText(record)],
    ['result', resultText(record, result)],
    ['traffic', traffic(record)],
    ['alike', alikeText(record, alike)],
    ...otherRows(record),
    ['policy', visible(record.policy ?? '')],
    ['proof', proofText(record, proof)],
    ['', paint('dim', `hash ${visible(record.hash)}`)],
    ['', paint('dim', `prev ${visible(record.prev)}`)],
    ['to allow', visible(toAllow ?? '')],
    ...next.map((command, at): Row => [at === 0 ? 'see also' : '', visible(command)]),
  ];
  return [heading(record), ...rows.filter(([, text]) => text !== '').map((row) => rowText(row, columns))].join('\n');
}

const whatText = (action: string): string =>
  WHAT[action] ?? (AUDIT_EVENT as Readonly<Record<string, string>>)[action]?.replaceAll('`', '') ?? '';

type Row = [name: string, text: string];

/** Broken at blanks, but for commands, which are there to be copied. */
function rowText([name, text]: Row, columns: number): string {
  const lines = COPIED.has(name) || text.startsWith('gatekeeper ') ? [text] : folded(text, columns - INDENT);
  return `${paint('dim', name.padEnd(INDENT - 1))} ${lines.join(`\n${' '.repeat(INDENT)}`)}`;
}

function folded(text: string, room: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || widthOf(stripVTControlCharacters(`${last} ${word}`)) > room) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

function heading(record: AuditRecord): string {
  const verdict = record.verdict === undefined ? '' : `${paintVerdict(visible(record.verdict))}  `;
  return `${paint('bold', `entry ${record.seq}`)}  ${verdict}${visible(record.action)} ${visible(subjectOf(record))}`.trimEnd();
}

/** Texts that are escaped in the log since they are no UTF-8. */
function bytesRows(record: AuditRecord): Row[] {
  const fields = [
    ['target', record.targetBytes],
    ['target2', record.target2Bytes],
    ['program', record.programBytes],
    ['command', record.commandBytes],
    ['cwd', record.cwdBytes],
  ] as const;
  return fields.flatMap(([name, bytes]): Row[] =>
    bytes === undefined ? [] : [['bytes', `${name} is no UTF-8; in base64 ${visible(bytes)}`]],
  );
}

function connectionRows({ action, address, via, known, destination, target, command }: AuditRecord): Row[] {
  if (action === 'shell_exec')
    return target === undefined || command === undefined ? [] : [['program', visible(target)]];
  if (via === undefined) return [];
  const name =
    known === undefined
      ? ''
      : known === 'literal'
        ? '; by address, without a name'
        : `; name ${KNOWN[known] ?? `by ${visible(known)}`}`;
  const behind = address === undefined || address === destination ? '' : `${visible(address)}, `;
  return [['address', `${behind}${VIA[via] ?? `via ${visible(via)}`}${name}`]];
}

function programText({ program, pid, tid, syscall }: AuditRecord): string {
  if (program === undefined && pid === undefined) return '';
  const thread = tid === undefined || tid === pid ? '' : `, thread ${tid}`;
  return `${visible(program ?? 'a program')}, process ${pid ?? '?'}${thread}${syscall === undefined ? '' : `, ${visible(syscall)}`}`;
}

function runRows(run: RunOfReceipt | null): Row[] {
  if (!run) return [];
  const { id, name, command, cwd, simulate, enforce } = run;
  const how = [simulate ? 'simulated' : '', enforce ? `enforced by ${visible(enforce)}` : ''].filter(Boolean);
  return [
    ['run', `${visible(name)} (${visible(id)})${how.length > 0 ? `, ${how.join(', ')}` : ''}`],
    [
      '',
      command === null
        ? ''
        : `${visibleShort(command, 160)}${cwd === null ? '' : paint('dim', `  in ${visible(cwd)}`)}`,
    ],
  ];
}

function whenText({ time, until, count }: AuditRecord): string {
  const first = `${localTime(time)} ${paint('dim', `(${visible(time)})`)}`;
  if (until === undefined) return first;
  const span = durationText(Math.max(0, Date.parse(until) - Date.parse(time)));
  return `${first}; ${count ?? 1} times in ${span}, last ${localTime(until)}`;
}

function verdictText({ verdict, source, reason }: AuditRecord, rule: RuleOfReceipt | null): string {
  if (source === 'silence') return `${paintVerdict(visible(verdict ?? ''))}: a rule asks somebody, and nobody answered`;
  const who = rule ? '' : ` by ${SOURCES[source ?? ''] ?? visible(source ?? 'nobody')}`;
  // What a rule gives as its reason stands with the rule.
  const why = reason === undefined || reason === rule?.reason || reason === 'no-rule' ? '' : `: ${reasonText(reason)}`;
  return `${paintVerdict(visible(verdict ?? ''))}${who}${why}`;
}

function ruleRows(rule: RuleOfReceipt | null, name: string): Row[] {
  if (!rule) return [];
  const { label, effect, pattern, reason, place, changed } = rule;
  const words = `${paint('bold', visible(label))}${effect === null ? '' : ` ${effect}`}${pattern === null ? '' : ` ${visible(pattern)}`}`;
  const where = place === null ? (changed ? 'the file is not what it was then' : '') : visible(place);
  return [
    [name, `${words}${reason === null ? '' : `: ${visible(reason)}`}`],
    ['', where && paint('dim', `at ${where}`)],
  ];
}

function approvalText({ approver, answered, grant }: AuditRecord): string {
  if (approver === undefined && grant === undefined) return '';
  const when = answered === undefined ? '' : `, ${localTime(answered)}`;
  return `by ${visible(approver ?? 'somebody')}${when}${grant === undefined ? '' : `; grant ${visible(grant)}`}`;
}

function resultText({ verdict, action }: AuditRecord, result: string | null): string {
  if (action === 'result' || result !== null)
    return result === 'ok' ? 'it succeeded' : `it ended with ${visible(result ?? '?')}`;
  return verdict === 'allow' ? 'not known: how the call ended was not recorded' : '';
}

function alikeText({ action, verdict }: AuditRecord, { receipts, times }: ReceiptAccount['alike']): string {
  if (verdict === undefined || receipts < 2) return '';
  const often = times > receipts ? ` (${times} times)` : '';
  return `${receipts} entries of this run are ${visible(action)}, ${visible(verdict)}${often}`;
}

/** Members that nothing above shows. */
function otherRows(record: AuditRecord): Row[] {
  return Object.entries(record)
    .filter(([name, value]) => value !== undefined && !SAID.has(name))
    .map(([name, value]): Row => [LABELS[name] ?? visible(name), visible(String(value))]);
}

function proofText({ seq }: AuditRecord, { hashFits, signature, signer, checkpoint, covered }: Proof): string {
  const hash = hashFits ? 'the hash fits' : paint('red', 'the hash does NOT fit: the entry was changed');
  const cover = covered
    ? `within the checkpoint of ${checkpoint}`
    : checkpoint === null
      ? 'there is no checkpoint'
      : `not yet within the checkpoint of ${checkpoint}, which is before ${seq}`;
  return `${hash}; ${SIGNATURES[signature](signer)}; ${cover}`;
}

/** Names that are too long for their column. */
const LABELS: Readonly<Record<string, string>> = { keyBefore: 'old key', keySig: 'by new' };
const INDENT = 9;
const COPIED: ReadonlySet<string> = new Set(['to allow', 'see also']);
const SIGNATURES: Readonly<Record<Proof['signature'], (signer: string | null) => string>> = {
  own: () => 'signed by the key of this user',
  'cross-signed': (signer) => `signed by ${signer}, another key of this log, cross-signed with the key of this user`,
  other: (signer) =>
    `${signer === null ? 'the signature is NOT by the key of this log' : `signed by ${signer}, which is not trusted here`} (see: gatekeeper audit verify)`,
  none: () => 'without a signature of its own',
  unknown: () => 'signed; no key is known here to check it with',
};
/** What the page has said in one way or another. */
const SAID: ReadonlySet<string> = new Set([
  ...[
    'action',
    'address',
    'agent',
    'answered',
    'approver',
    'bytesDown',
    'bytesUp',
    'command',
    'commandBytes',
    'count',
    'cwd',
    'cwdBytes',
  ],
  ...[
    'destination',
    'durationMs',
    'enforce',
    'grant',
    'hash',
    'known',
    'mayWrite',
    'n',
    'through',
    'method',
    'of',
    'path',
    'pid',
    'pierced',
    'policy',
    'port',
    'prev',
  ],
  ...[
    'program',
    'programBytes',
    'reason',
    'result',
    'rule',
    'run',
    'seq',
    'sig',
    'simulate',
    'source',
    'syscall',
    'target',
    'target2',
  ],
  ...['target2Bytes', 'targetBytes', 'tid', 'time', 'until', 'v', 'verdict', 'via'],
]);
