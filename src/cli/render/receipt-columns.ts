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
  #widths = [0, 0, 0, 0, 0, 0];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Makes room for all of them before the first is printed. */
  measure(records: readonly AuditRecord[]): this {
    for (const record of records) this.#grow(this.#cells(record));
    return this;
  }

  line(record: AuditRecord, columns: number): string {
    const cells = this.#cells(record);
    this.#grow(cells);
    const gap = ' '.repeat(columns < ROOMY ? 1 : 2);
    const [seq = 0, time = 0, verdict = 0, action = 0, programs = 0, reasons = 0] = this.#widths;
    const room = Math.max(columns - 1 - seq - time - verdict - action - 4 * gap.length, LEAST_ROOM);
    // What was asked for is what one looks for: program and reason get a part of the room alone.
    const reason = room < ROOM_FOR_WHY ? 0 : Math.min(reasons, Math.floor(room / 3));
    const program = Math.min(programs, Math.max(Math.floor(room / (reason === 0 ? 3 : 6)), LEAST_PROGRAM));
    const left = room - [program, reason].reduce((sum, width) => sum + (width === 0 ? 0 : width + gap.length), 0);
    const verdictText = padEnd(cells[2], verdict);
    const parts = [
      paint('dim', padStart(cells[0], seq)),
      paint('dim', padEnd(cells[1], time)),
      record.verdict ? paintVerdict(verdictText) : paint('dim', verdictText),
      padEnd(cells[3], action),
    ];
    // An event has nothing to say of a program.
    if (cells[4] === '' && cells[5] === '') parts.push(whatText(record, room));
    else parts.push(padEnd(whatText(record, left), left), paint('dim', padEnd(cut(cells[4], program), program)));
    if (reason > 0 && cells[5] !== '') parts.push(paint('dim', cut(cells[5], reason)));
    return parts.join(gap).trimEnd();
  }

  #cells(record: AuditRecord): Cells {
    const { seq, time, verdict } = record;
    const action = SHORT_ACTIONS[record.action] ?? visible(record.action);
    const said = verdict === undefined ? '·' : visible(verdict);
    return [String(seq), clockTime(time, this.#clock), said, action, programText(record), visible(authority(record))];
  }

  #grow(cells: readonly string[]): void {
    this.#widths = this.#widths.map((width, at) => Math.max(width, widthOf(cells[at] ?? '')));
  }
}

type Cells = readonly [seq: string, time: string, verdict: string, action: string, program: string, reason: string];

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
const LEAST_PROGRAM = 12;
const SHORT_ACTIONS: Readonly<Record<string, string>> = { connection_closed: 'closed' };
