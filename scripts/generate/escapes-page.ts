import { GROUPS, type WayOut } from '../../test/escape/catalogue.ts';
import { ATTACKS, type Attack } from '../../test/escape/outbound.ts';
import type { EscapeRow } from '../../test/escape/row.ts';
import { TABLES } from '../../test/escape/rows.ts';

/** docs/escapes.md: the ways out of the catalogue, with what the rows of the suite expect of them. */
export function escapesPage(): string {
  const rows = Object.values(TABLES).flat();
  return [
    HEAD,
    ...GROUPS.map(({ letter, title, ways }) =>
      [
        `\n## ${letter}: ${title}\n`,
        '| | What is tried | Outside | Inside | Stopped by | Receipt |',
        '|---|---|---|---|---|---|',
        ...ways.flatMap((way) => wayLines(way, rows)),
        '',
      ].join('\n'),
    ),
  ].join('');
}

function wayLines(way: WayOut, rows: readonly EscapeRow[]): string[] {
  return [
    line([way.id, `**${way.title}**`]),
    ...rows.filter(({ covers }) => covers.includes(way.id)).map(rowLine),
    ...ATTACKS.filter(({ covers }) => covers.includes(way.id)).map(attackLine),
    ...(way.tests ?? []).map(({ file, title }) => line(['', `\`${file}\`: ${title}`])),
    ...(way.notTried === undefined ? [] : [line(['', `not tried: ${way.notTried}`])]),
  ];
}

function rowLine(row: EscapeRow): string {
  const outside = row.outside === 'works' ? 'works' : `not shown: ${row.outside.refusedHere}`;
  const who = row.user === undefined ? '' : row.user === 'root' ? ' (as root)' : ' (as an ordinary user)';
  const receipt = [row.receipt?.action, row.receipt?.source].filter(Boolean).join(', ');
  return line(['', row.title + who, outside, [row.inside].flat().join(' or '), row.layer, receipt]);
}

function attackLine({ title, outside, layer, receipt }: Attack): string {
  const shown = outside ? 'works' : 'not shown: there is no such server outside';
  return line(['', title, shown, 'no answer', layer ?? 'daemon', receipt ? 'network' : '']);
}

const line = (cells: readonly string[]): string =>
  `| ${Array.from({ length: 6 }, (_, at) => (cells[at] ?? '').replaceAll('|', '\\|')).join(' | ')} |`.replace(
    / +/g,
    ' ',
  );

const HEAD = `# Ways out

<!-- Generated from test/escape by scripts/generate.ts; do not edit. -->

Every way around gatekeeper that its authors know, and what becomes of it. Each line without a number is a row of \`test/escape\`: it has to work
outside of gatekeeper, and inside to give the named error and leave the named receipt, also when the environment was emptied before, as root and as an
ordinary user. The suite fails when one line is not as it stands here. A race goes on for 100,000 rounds, shared by the runs of its row.
What gives *no answer* inside tries for servers of a world of the test's own: inside it must print nothing of what it prints outside, and neither those servers nor the name
server may have heard anything. A line with a file names a test elsewhere.
`;
