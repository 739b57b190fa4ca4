import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { PYTHON_DIFFERENCES, PYTHON_MODULES } from '../compat/python-modules.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/compatibility.md'), 'utf8');

it('docs/compatibility.md lists every difference of the Python tests, and no other', () => {
  const section = page.slice(page.indexOf("## CPython's own tests"));
  const listed = section.split('\n').filter((line) => line.startsWith('| `'));
  const known = PYTHON_DIFFERENCES.map(
    ({ test, reason }) => `| \`${test.source.replaceAll('|', '\\|')}\` | ${reason} |`,
  );
  expect(listed).toEqual(known);
  expect(section).toContain(`${PYTHON_MODULES.length} modules of`);
});
