import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { RunNames } from '../../../../src/adapters/proxy/names.ts';
import { parseAddress } from '../../../../src/core/egress/address.ts';
import { type HostName, parseHostName } from '../../../../src/core/egress/host-name.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const name = (text: string): HostName => parseHostName(text)!;
const address = (text: string) => parseAddress(text)!;

it('a name keeps its number, and no number is given twice', () => {
  const names = new RunNames();
  expect(names.numbersOf('r', ['b.test', 'a.test', 'b.test'].map(name))).toEqual([2, 3, 2]);
  expect(names.numbersOf('r', ['c.test', 'a.test'].map(name))).toEqual([4, 3]);
  expect(names.numbersOf('other', [name('a.test')])).toEqual([2]);
  names.forget('r');
  expect(names.nameOf('r', address('198.18.0.3'))).toBeUndefined();
  expect(names.nameOf('other', address('198.18.0.2'))).toBe('a.test');
});

it('an address that stands for nothing has no name', () => {
  const names = new RunNames();
  names.numbersOf('r', [name('a.test')]);
  for (const text of ['198.18.0.0', '198.18.0.1', '198.18.0.3', '198.17.0.2', '1.2.3.4', '2001:2::2', '::1'])
    expect(names.nameOf('r', address(text))).toBeUndefined();
  for (const text of ['198.18.0.2', '2001:2::c612:2']) expect(names.nameOf('r', address(text))).toBe('a.test');
});

it('more names than a run may have are refused together, and those that it has are not', () => {
  const names = new RunNames(undefined, 2);
  expect(names.numbersOf('r', ['a.test', 'b.test', 'c.test'].map(name))).toBeUndefined();
  expect(names.numbersOf('r', ['a.test', 'b.test'].map(name))).toEqual([2, 3]);
  expect(names.numbersOf('r', [name('c.test')])).toBeUndefined();
  expect(names.numbersOf('r', ['b.test', 'a.test'].map(name))).toEqual([3, 2]);
});

it.each([
  ['a line that a kill cut short', 'a.test\nb.te', ['a.test', undefined], 'a.test\nnext.test\n', 3],
  [
    'a line that is no name',
    'a.test\n\x1b[2J\n10.0.0.1\nB.test\nb.test\n',
    ['a.test', undefined, undefined, undefined, 'b.test'],
    undefined,
    7,
  ],
  ['a name twice', 'a.test\na.test\n', ['a.test', 'a.test'], undefined, 4],
  ['nothing', '', [], 'next.test\n', 2],
  ['no whole line', 'a.test', [undefined], 'next.test\n', 2],
])('%s in the file moves no other number', (_what, text, known, after, next) => {
  const directory = temporaryDirectory();
  writeFileSync(`${directory}/names`, text);
  const names = new RunNames(() => directory);
  expect(known.map((_, at) => names.nameOf('r', address(`198.18.0.${at + 2}`)))).toEqual(known);
  expect(names.numbersOf('r', [name('next.test')])).toEqual([next]);
  expect(readFileSync(`${directory}/names`, 'latin1')).toBe(after ?? `${text}next.test\n`);
  expect(new RunNames(() => directory).nameOf('r', address(`198.18.0.${next}`))).toBe('next.test');
});

it('a file that cannot be one of names gives none, and takes none', () => {
  const directory = temporaryDirectory();
  writeFileSync(`${directory}/names`, `${'a'.repeat(600)}\n`);
  const names = new RunNames(() => directory, 2);
  expect(names.nameOf('r', address('198.18.0.2'))).toBeUndefined();
  expect(() => names.numbersOf('r', [name('a.test')])).toThrow('longer than it can be');
});

it('a name that could not be kept is not given, and its number goes to the next that can', () => {
  const directory = temporaryDirectory();
  const names = new RunNames(() => directory);
  expect(names.numbersOf('r', [name('a.test')])).toEqual([2]);
  rmSync(`${directory}/names`);
  mkdirSync(`${directory}/names`);
  expect(() => names.numbersOf('r', [name('b.test')])).toThrow('EISDIR');
  expect(names.nameOf('r', address('198.18.0.3'))).toBeUndefined();
  rmSync(`${directory}/names`, { recursive: true });
  writeFileSync(`${directory}/names`, 'a.test\nb.te'); // what a full disk leaves of a write
  expect(names.numbersOf('r', [name('c.test')])).toEqual([3]);
  expect(readFileSync(`${directory}/names`, 'utf8')).toBe('a.test\nc.test\n');
});
