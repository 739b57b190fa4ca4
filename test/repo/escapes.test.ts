import { describe, expect, it } from 'vitest';
import { GROUPS } from '../escape/catalogue.ts';
import { ATTACKS } from '../escape/outbound.ts';
import { TABLES } from '../escape/rows.ts';
import { projectFiles, readText } from './project-files.ts';

const ways = GROUPS.flatMap((group) => group.ways);
const rows = [...Object.values(TABLES).flat(), ...ATTACKS];

describe('the catalogue of ways out', () => {
  it('numbers each way once, in the order of its group', () => {
    for (const { letter, ways: own } of GROUPS)
      expect(own.map(({ id }) => id)).toEqual(own.map((_, at) => letter + String(at + 1).padStart(2, '0')));
  });

  it('has a row, a test or a reason for every way', () => {
    const tried = new Set(rows.flatMap(({ covers }) => covers));
    expect(ways.filter(({ id, tests, notTried }) => !tried.has(id) && !tests?.length && !notTried)).toEqual([]);
  });

  it('is what the rows refer to', () => {
    const known = new Set(ways.map(({ id }) => id));
    expect(rows.filter(({ covers }) => covers.length === 0 || covers.some((id) => !known.has(id)))).toEqual([]);
  });

  it('names tests that exist', () => {
    const files = new Set(projectFiles());
    const missing = ways
      .flatMap(({ tests = [] }) => tests)
      .map(({ file, title }) => ({ path: file.startsWith('native-hooks/') ? file : `test/${file}`, title }))
      .filter(({ path, title }) => !files.has(path) || !hasTitle(path, title));
    expect(missing).toEqual([]);
  });

  it('has no two rows of one title', () => {
    const titles = Object.entries({ ...TABLES, outbound: ATTACKS }).flatMap(([table, own]) =>
      own.map(({ title }) => `${table}: ${title}`),
    );
    expect(titles.filter((title, at) => titles.indexOf(title) !== at)).toEqual([]);
  });
});

/** As the first argument of a test, in any quotes; in C as the name of a function. */
function hasTitle(path: string, title: string): boolean {
  const text = readText(path);
  if (path.endsWith('.c')) return text.includes(`static void ${title}(void)`);
  return ['"', "'", '`'].some((quote) => text.includes(quote + title + quote));
}
