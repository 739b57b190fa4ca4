import type { AuditRecord } from '../../core/audit/record.ts';
import { visible, visibleShort } from '../../core/text/visible.ts';
import { paint, paintVerdict } from './paint.ts';

/** A record as one line: number, time, verdict, action, target, program, and who said so. */
export function receiptLine(record: AuditRecord): string {
  const parts = [
    paint('dim', String(record.seq).padStart(6)),
    paint('dim', record.time.slice(0, 19).replace('T', ' ')),
    record.verdict ? padded(record.verdict, 10, paintVerdict) : padded('·', 10, (text) => paint('dim', text)),
    visible(record.action).padEnd(11),
    subject(record),
    programOf(record),
    repetition(record),
    paint('dim', authority(record)),
  ];
  return parts.filter((part) => part !== '').join('  ');
}

/** Every field of a record, one a line, in the order of the log. */
export function receiptText(record: AuditRecord): string {
  const entries = Object.entries(record).filter(([, value]) => value !== undefined);
  const width = Math.max(...entries.map(([name]) => name.length));
  return entries
    .map(([name, value]) => `${paint('dim', visible(name).padEnd(width))}  ${visible(String(value))}`)
    .join('\n');
}

function subject(record: AuditRecord): string {
  const { action, command, target, target2, destination, address, port, text, name, status, count, kind } = record;
  if (action === 'shell_exec') return visibleShort(command ?? target ?? '');
  if (action === 'network') {
    const host = destination ?? address ?? target ?? '?';
    return visibleShort(port === undefined ? host : `${host.includes(':') ? `[${host}]` : host}:${port}`);
  }
  if (target !== undefined) return visibleShort(target2 === undefined ? target : `${target} → ${target2}`);
  const words = [
    name,
    command,
    kind,
    text,
    status === undefined ? '' : `status ${status}`,
    count === undefined ? '' : `${count} calls`,
  ];
  return visibleShort(words.filter(Boolean).join(' '));
}

function programOf({ program, pid }: AuditRecord): string {
  if (program === undefined) return '';
  return paint('dim', `${visibleShort(program.split('/').at(-1) ?? '', 40)}[${pid ?? '?'}]`);
}

/** A refusal that came again and again, without anything else in between. */
function repetition({ verdict, count }: AuditRecord): string {
  return verdict === undefined || count === undefined ? '' : `${count} times`;
}

function authority({ rule, pierced, reason, source }: AuditRecord): string {
  const words = [rule ?? (source === 'rule' ? undefined : source), pierced && `pierces ${pierced}`, reason];
  return visibleShort(words.filter(Boolean).join(', '));
}

const padded = (text: string, width: number, colour: (text: string) => string): string =>
  colour(visible(text)) + ' '.repeat(Math.max(0, width - text.length));
