import type { AuditRecord } from '../../core/audit/record.ts';
import { visible, visibleShort } from '../../core/text/visible.ts';
import { bytesText, durationText } from './amounts.ts';
import { paint, paintVerdict } from './paint.ts';

/** A record as one line: number, time, verdict, action, target, program, and who said so. */
export function receiptLine(record: AuditRecord): string {
  const parts = [
    paint('dim', String(record.seq).padStart(6)),
    paint('dim', `${visible(record.time.slice(0, 19).replace('T', ' '))}Z`),
    record.verdict ? padded(record.verdict, 10, paintVerdict) : padded('·', 10, (text) => paint('dim', text)),
    visible(record.action).padEnd(11),
    visibleShort(subjectOf(record)),
    programOf(record),
    traffic(record),
    outcome(record),
    repetition(record),
    paint('dim', door(record)),
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

/** What was asked for, or what an event says, as it stands in the log: not fit to be printed as it is. */
export function subjectOf(record: AuditRecord): string {
  const { action, agent, command, target, target2, text, name, status, count, kind, result, segment } = record;
  if (action === 'shell_exec') return command ?? target ?? '';
  if (action === 'network' || action === 'connection_closed') return place(record);
  if (target !== undefined) return target2 === undefined ? target : `${target} → ${target2}`;
  const words = [
    action === 'run_create' ? agent : '',
    name,
    command,
    kind,
    text,
    action === 'result' ? result : '',
    segment === undefined ? '' : `file ${segment}`,
    status === undefined ? '' : `status ${status}`,
    count === undefined ? '' : `${count} calls`,
  ];
  return words.filter(Boolean).join(' ');
}

/** Where a connection went, or should have gone. A question for a name (DNS) has no port that it would mean. */
function place({ destination, address, target, port, via, method, path }: AuditRecord): string {
  const host = destination ?? address ?? target ?? '?';
  const where = port === undefined || via === 'dns' ? host : `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return method === undefined ? where : `${method} ${where}${path ?? ''}`;
}

/** What a connection carried, now that it is over. */
export function traffic({ bytesUp, bytesDown, durationMs }: AuditRecord): string {
  if (bytesUp === undefined && bytesDown === undefined) return '';
  const time = durationMs === undefined ? '' : ` in ${durationText(durationMs)}`;
  return `${bytesText(bytesUp ?? 0)} up, ${bytesText(bytesDown ?? 0)} down${time}`;
}

/** The door that a connection came through, and how the name was known when the door does not say it. */
function door({ via, known }: AuditRecord): string {
  if (via === undefined) return '';
  const said = known === undefined || known === via || (known === 'http' && via === 'upgrade');
  return visibleShort(said ? `via ${via}` : `via ${via}, ${known === 'literal' ? 'by address' : `name by ${known}`}`);
}

function programOf({ program, pid }: AuditRecord): string {
  if (program === undefined) return '';
  return paint('dim', `${visibleShort(program.split('/').at(-1) ?? '', 40)}[${pid ?? '?'}]`);
}

/** What became of a call that was allowed, when it is known and was no success. */
export function outcome({ action, result }: AuditRecord): string {
  return action === 'result' || result === undefined || result === 'ok' ? '' : visibleShort(result, 40);
}

/** A refusal that came again and again, without anything else in between. */
function repetition({ verdict, count }: AuditRecord): string {
  return verdict === undefined || count === undefined ? '' : `${count} times`;
}

export function authority({ rule, pierced, reason, source }: AuditRecord): string {
  const words = [rule ?? (source === 'rule' ? undefined : source), pierced && `pierces ${pierced}`, reason];
  return visibleShort(words.filter(Boolean).join(', '));
}

const padded = (text: string, width: number, colour: (text: string) => string): string =>
  colour(visible(text)) + ' '.repeat(Math.max(0, width - text.length));
