import type { Activity } from '../../core/analysis/net-activity.ts';
import { visible } from '../../core/text/visible.ts';
import { bytesText } from './amounts.ts';
import { paint, paintVerdict } from './paint.ts';
import { cut, padEnd, padStart, widthOf } from './width.ts';

/** A table that fits: heading, rows, and a last line that sums up. Columns that there is no room for are left out. */
export function activityLines(rows: readonly Activity[], size: { lines: number; columns: number }): string[] {
  const shown = rows.slice(0, size.lines - 2);
  const columns = columnsFor(rows, size.columns);
  const cells = shown.map((row) => columns.map(({ cell }) => visible(cell(row))));
  const widths = fitted(
    columns.map(({ name }, at) => Math.max(name.length, ...cells.map((row) => widthOf(row[at]!)))),
    columns.map(({ least }) => (columns.length > 2 ? least : Math.min(least, MIN_SIZE - 9))),
    size.columns,
  );
  const lay = (texts: readonly string[]): string[] =>
    texts.map((text, at) => (columns[at]!.right ? padStart : padEnd)(cut(text, widths[at]!), widths[at]!));
  const heading = lay(columns.map(({ name }) => name)).join('  ');
  return [
    paint('dim', heading.trimEnd()),
    ...cells.map((row) => {
      const [verdict = '', ...rest] = lay(row);
      return [paintVerdict(verdict), ...rest].join('  ').trimEnd();
    }),
    summary(rows, shown.length, size.columns),
  ];
}

function columnsFor(rows: readonly Activity[], room: number): Column[] {
  const several = new Set(rows.map(({ run }) => run)).size > 1;
  let columns = COLUMNS.filter(({ name }) => several || name !== 'RUN');
  while (columns.length > 2 && columns.reduce((sum, { least }) => sum + least + 2, -2) > room) {
    const last = LEAVING.find((name) => columns.some((column) => column.name === name));
    columns = columns.filter(({ name }) => name !== last);
  }
  return columns;
}

function summary(rows: readonly Activity[], shown: number, columns: number): string {
  const refused = rows.filter(({ verdict }) => verdict.includes('deny')).length;
  const open = rows.reduce((sum, row) => sum + row.open, 0);
  const hidden = rows.length > shown ? `, ${rows.length - shown} more not shown` : '';
  const text =
    rows.length === 0 ? 'nothing was tried yet' : `${rows.length} in all, ${refused} refused, ${open} open${hidden}`;
  return paint('dim', cut(text, columns));
}

/** Takes from the widest column that may give, until all fit. */
function fitted(wanted: readonly number[], least: readonly number[], room: number): number[] {
  const widths = [...wanted];
  const total = (): number => widths.reduce((sum, width) => sum + width, 2 * (widths.length - 1));
  while (total() > room) {
    const giving = widths.map((width, at) => (width > least[at]! ? width : 0));
    const widest = Math.max(...giving);
    if (widest === 0) break;
    widths[giving.indexOf(widest)]!--;
  }
  return widths;
}

const amount = (number: number, text: (number: number) => string = String): string =>
  number === 0 ? '-' : text(number);

type Column = { name: string; cell: (row: Activity) => string; least: number; right?: true };
const COLUMNS: readonly Column[] = [
  { name: 'VERDICT', cell: ({ verdict }) => verdict, least: 7 },
  {
    name: 'DESTINATION',
    cell: ({ destination, called }) => (called === undefined ? destination : `${destination} (${called})`),
    least: 16,
  },
  { name: 'PROGRAM', cell: ({ program }) => program.slice(program.lastIndexOf('/') + 1), least: 7 },
  { name: 'RUN', cell: ({ agent }) => agent, least: 4 },
  { name: 'COUNT', cell: ({ count }) => String(count), least: 5, right: true },
  { name: 'UP', cell: ({ bytesUp }) => amount(bytesUp, bytesText), least: 4, right: true },
  { name: 'DOWN', cell: ({ bytesDown }) => amount(bytesDown, bytesText), least: 4, right: true },
  { name: 'OPEN', cell: ({ open }) => amount(open), least: 4, right: true },
  { name: 'LAST', cell: ({ last }) => last.slice(11, 19), least: 8 },
  { name: 'KNOWN', cell: ({ known, via }) => known ?? via ?? 'literal', least: 5 },
  { name: 'WHY', cell: ({ rule, reason }) => rule ?? reason ?? '', least: 3 },
];
const MIN_SIZE = 20;
/** In this order where there is no room. */
const LEAVING = ['WHY', 'KNOWN', 'LAST', 'RUN', 'UP', 'DOWN', 'OPEN', 'PROGRAM', 'COUNT'];
