import type { LogVerification } from '../../adapters/audit-log/verify-log.ts';
import { LOOKS_LIKE, PROBLEMS, type Problem } from '../../core/audit/verify.ts';
import { visible } from '../../core/text/visible.ts';
import { paint } from './paint.ts';

export type VerificationWords = {
  result: LogVerification;
  directory: string;
  /** Whose signatures are believed. */
  by: string;
  /** Fingerprints of the log's keys, in their order. */
  keys: readonly string[];
  /** The line of the first bad entry, as far as it can be read. */
  about: string | undefined;
};

/** What verification came to, for a person: the first bad entry with what it looks like, or that there is none. */
export function verificationText(words: VerificationWords): string {
  const { result } = words;
  const [first, ...more] = result.problems;
  const rows = first === undefined ? [] : [...badRows(first, words), ...moreRows(more)];
  rows.push(...factRows(words));
  const width = Math.max(...rows.map(([name]) => name.length));
  const heading =
    first === undefined
      ? `${paint('green', 'verified')}: ${entriesText(result)}`
      : `${paint('red', 'NOT verified')}: ${first.seq > 0 ? `the first bad entry is ${first.seq}` : 'the log is not whole'}`;
  return [heading, ...rows.map(([name, text]) => `  ${paint('dim', name.padEnd(width))}  ${text}`)].join('\n');
}

type Row = readonly [string, string];

function badRows({ kind, file, line, detail }: Problem, { directory, about }: VerificationWords): Row[] {
  const rows: Row[] = [['what', `${kind}: ${PROBLEMS[kind]}`]];
  if (detail !== undefined) rows.push(['more', visible(detail)]);
  if (file !== undefined) {
    const name = `${visible(directory)}/${String(file).padStart(6, '0')}.jsonl`;
    rows.push(['where', line === undefined ? name : `${name}, line ${line}`]);
  }
  if (about !== undefined) rows.push(['about', about]);
  rows.push(['looks like', LOOKS_LIKE[kind]]);
  return rows;
}

function moreRows(more: readonly Problem[]): Row[] {
  if (more.length === 0) return [];
  const shown = more.slice(0, 10).map(({ kind, seq }) => (seq > 0 ? `${seq} ${kind}` : kind));
  const rest = more.length > shown.length ? `, and ${more.length - shown.length} more` : '';
  return [['also', `${shown.join(', ')}${rest}`]];
}

function factRows({ result, by, keys }: VerificationWords): Row[] {
  const { problems, checkpoint, kept, lossCount, losses } = result;
  const rows: Row[] = problems.length > 0 ? [['checked', entriesText(result)]] : [];
  rows.push(['trusted', visible(by)]);
  const last = keys.at(-1);
  const isFormer = last !== undefined && !by.includes(last) && problems.length === 0;
  if (keys.length > 1 || isFormer || problems.some(({ kind }) => kind === 'key-unknown'))
    rows.push([
      'signed by',
      `${keys.join(', ')}${isFormer ? ', at the end by a former key: who has that can make such a log' : ''}`,
    ]);
  if (checkpoint) rows.push(['checkpoint', `${checkpoint.size}:${checkpoint.root} of ${visible(checkpoint.origin)}`]);
  if (checkpoint && result.head.seq > checkpoint.size) {
    rows.push([
      'behind it',
      `${behindText(result.head.seq, checkpoint.size)}: only those with a signature of their own are proven yet`,
    ]);
  }
  for (const { holder, compared, ignored, error } of kept) {
    const others = ignored > 0 ? `, ${ignored} not about this log` : '';
    rows.push(['kept by', `${visible(holder)}: ${compared} compared${others}${error ? `; ${visible(error)}` : ''}`]);
  }
  if (kept.every(({ compared }) => compared === 0)) {
    rows.push(['kept by', 'nobody else that was asked: an older copy of all of it would look the same']);
  }
  if (lossCount > 0) {
    const shown = losses.slice(0, 10).join(', ');
    rows.push([
      'losses',
      `the log tells of some in ${lossCount} of its entries: ${shown}${lossCount > 10 ? ' …' : ''}`,
    ]);
  }
  return rows;
}

function entriesText({ entries, first, head, files, signatures }: LogVerification): string {
  const range = entries > 0 ? ` (${first} to ${head.seq})` : '';
  return `${count(entries, 'entry', 'entries')}${range} in ${count(files, 'file', 'files')}, ${count(signatures, 'signature', 'signatures')}`;
}

/** A daemon that writes signs for them within half a second; in a copy that nobody writes they may be anybody's. */
const behindText = (end: number, size: number): string =>
  end === size + 1 ? `entry ${end}` : `entries ${size + 1} to ${end}`;

const count = (number: number, one: string, many: string): string => `${number} ${number === 1 ? one : many}`;
