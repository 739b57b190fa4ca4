import type { AuditRecord } from '../../core/audit/record.ts';
import { visible } from '../../core/text/visible.ts';
import { clockTime } from './clock.ts';
import { paint, paintVerdict } from './paint.ts';
import { authority, outcome, subjectOf, traffic } from './receipt.ts';
import { cut, cutMiddle, padEnd, padStart, widthOf } from './width.ts';

/**
 * Entries of the log, each as one line of a terminal: number, time, verdict, action, what was asked for, program, who said so. Columns begin as wide as those that are
 * there at first need them, and grow when later ones do; what has no room is cut where it says least, and the last columns are left out.
 */
export class ReceiptColumns {
  readonly #clock: Clock;
  #widths = [0, 0, 0, 0];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Makes room for all of them before the first is printed. */
  measure(records: readonly AuditRecord[]): this {
    for (const record of records) this.#grow(this.#fixed(record));
    return this;
  }

  line(record: AuditRecord, columns: number): string {
    const fixed = this.#fixed(record);
    this.#grow(fixed);
    const gap = ' '.repeat(columns < ROOMY ? 1 : 2);
    const [seq = 0, time = 0, verdict = 0, action = 0] = this.#widths;
    const room = columns - 1 - seq - time - verdict - action - 4 * gap.length;
    const verdictText = padEnd(fixed[2], verdict);
    const parts = [
      paint('dim', padStart(fixed[0], seq)),
      paint('dim', padEnd(fixed[1], time)),
      record.verdict ? paintVerdict(verdictText) : paint('dim', verdictText),
      padEnd(fixed[3], action),
      this.#rest(record, Math.max(room, LEAST_ROOM), gap),
    ];
    return parts.join(gap).trimEnd();
  }

  #rest(record: AuditRecord, room: number, gap: string): string {
    const program = programText(record);
    const why = room < ROOM_FOR_WHY ? '' : visible(authority(record));
    // A third each is the most that program and reason take from what was asked for, when it needs the room.
    const whyRoom = Math.min(widthOf(why), Math.max(Math.floor(room / 3), 0));
    const programRoom = Math.min(widthOf(program), Math.max(Math.floor(room / (why === '' ? 3 : 6)), 12));
    const left = room - (programRoom ? programRoom + gap.length : 0) - (whyRoom ? whyRoom + gap.length : 0);
    const what = whatText(record, left);
    const cells = [padEnd(what, left), paint('dim', padEnd(cut(program, programRoom), programRoom))];
    if (whyRoom > 0) cells.push(paint('dim', cut(why, whyRoom)));
    return cells.join(gap);
  }

  #fixed(record: AuditRecord): readonly [string, string, string, string] {
    const action = SHORT_ACTIONS[record.action] ?? visible(record.action);
    return [
      String(record.seq),
      clockTime(record.time, this.#clock),
      record.verdict ? visible(record.verdict) : '·',
      action,
    ];
  }

  #grow(cells: readonly string[]): void {
    this.#widths = this.#widths.map((width, at) => Math.max(width, widthOf(cells[at] ?? '')));
  }
}

/** `now`: what the day is; times of other days bear theirs. */
export type Clock = { utc: boolean; now: Date };

/** How it ended and how often it came stay whatever becomes of the rest. */
function whatText(record: AuditRecord, room: number): string {
  const { verdict, count } = record;
  const marks = [outcome(record), verdict !== undefined && count !== undefined ? `×${count}` : '', traffic(record)];
  const behind = marks.filter((mark) => mark !== '').map((mark) => ` ${mark}`);
  while (behind.length > 0 && widthOf(behind.join('')) > room / 2) behind.pop();
  const end = behind.join('');
  const subject = visible(subjectOf(record));
  const own = Math.max(room - widthOf(end), 1);
  return `${record.action === 'shell_exec' ? cut(subject, own) : cutMiddle(subject, own)}${end}`;
}

function programText({ program, pid }: AuditRecord): string {
  return program === undefined ? '' : `${visible(program.split('/').at(-1) ?? '')}[${pid ?? '?'}]`;
}

/** From this width on there are two blanks between columns. */
const ROOMY = 100;
/** What is asked for gets this much even where the line then wraps. */
const LEAST_ROOM = 24;
const ROOM_FOR_WHY = 64;
const SHORT_ACTIONS: Readonly<Record<string, string>> = { connection_closed: 'closed' };
