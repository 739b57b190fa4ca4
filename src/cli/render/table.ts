import { visibleShort } from '../../core/text/visible.ts';
import { paint } from './paint.ts';

/** Columns padded to their widest cell, under a dim heading. Cells are made visible and cut to `max` characters; the last column is not padded. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[], max = 120): string {
  const shown = rows.map((row) => row.map((cell) => visibleShort(cell, max)));
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...shown.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column === cells.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  return [paint('dim', line(headings)), ...shown.map(line)].join('\n');
}
