import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { fileHolder } from '../../../../src/adapters/anchors/file-holder.ts';
import type { Holder } from '../../../../src/adapters/anchors/holder.ts';
import { parseCheckpoint } from '../../../../src/core/audit/checkpoint.ts';
import { noteOf } from '../../../support/notes.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const never = new AbortController().signal;
let directory: string;
let path: string;
let holder: Holder;
let clock: number;

beforeEach(() => {
  directory = temporaryDirectory();
  mkdirSync(join(directory, 'audit'));
  path = join(directory, 'anchor');
  clock = 0;
  const now = () => new Date(clock++ * 1000).toISOString();
  holder = fileHolder({ path, logDirectory: join(directory, 'audit'), now, compactBytes: 30_000 });
});

const openToAll = (file: string) => {
  writeFileSync(file, '');
  chmodSync(file, 0o666);
};
const sizes = async (origin?: string) => (await holder.read(origin)).map(({ note }) => parseCheckpoint(note)!.size);

describe('a file that holds checkpoints', () => {
  it('gives back what it took, with the time, and is closed to others', async () => {
    expect(await holder.read()).toEqual([]);
    await holder.put(noteOf('a', 1), never);
    await holder.put(noteOf('b', 7), never);
    expect(await holder.read()).toEqual([
      { note: noteOf('a', 1), time: '1970-01-01T00:00:00.000Z' },
      { note: noteOf('b', 7), time: '1970-01-01T00:00:01.000Z' },
    ]);
    expect(await sizes('gatekeeper/b')).toEqual([7]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('passes over a line that a crash left unfinished, and over what is no note', async () => {
    await holder.put(noteOf('a', 1), never);
    appendFileSync(path, 'x\n\n1970-01-01T00:00:01.000Z gatekeeper/a\\n2');
    await holder.put(noteOf('a', 3), never);
    expect(await sizes()).toEqual([1, 3]);
  });

  it('does not grow for ever, and keeps the first and the newest notes of each log', async () => {
    await holder.put(noteOf('old', 1), never);
    for (let size = 1; size <= 120; size++) await holder.put(noteOf('a', size), never);
    expect(statSync(path).size).toBeLessThan(31_000);
    expect(await sizes('gatekeeper/old')).toEqual([1]);
    const kept = await sizes('gatekeeper/a');
    expect(kept[0]).toBe(1);
    expect(kept.slice(-100)).toEqual(Array.from({ length: 100 }, (_, at) => 21 + at));
    expect(readdirSync(directory).sort()).toEqual(['anchor', 'audit']);
  });

  it.each([
    ['a symbolic link', () => symlinkSync('elsewhere', path), 'is a symbolic link'],
    ['a directory', () => mkdirSync(path), /EISDIR|not a regular file/],
    ['a FIFO', () => execFileSync('mkfifo', [path]), 'is not a regular file'],
    ['a file that others can write', () => openToAll(path), 'others can write'],
  ])('is not %s', async (_name, make, message) => {
    make();
    await expect(holder.put(noteOf('a', 1), never)).rejects.toThrow(message);
  });

  it('does not write through a link that waits where it makes its short form', async () => {
    writeFileSync(join(directory, 'victim'), 'kept');
    linkSync(join(directory, 'victim'), `${path}.new`);
    for (let size = 1; size <= 115; size++) await holder.put(noteOf('a', size), never);
    expect(readFileSync(join(directory, 'victim'), 'utf8')).toBe('kept');
    expect(statSync(path).size).toBeLessThan(31_000);
  });

  it('does not lie in the directory of the log, by whatever name', async () => {
    symlinkSync('audit', join(directory, 'other-name'));
    mkdirSync(join(directory, 'audit/deeper'));
    for (const inside of ['audit/anchor', 'other-name/anchor', 'audit/deeper/anchor']) {
      const wrong = fileHolder({ path: join(directory, inside), logDirectory: join(directory, 'audit') });
      await expect(wrong.put(noteOf('a', 1), never)).rejects.toThrow('in the directory of the log');
    }
  });
});
