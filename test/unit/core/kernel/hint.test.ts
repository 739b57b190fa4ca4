import { describe, expect, it } from 'vitest';
import { buildFilter } from '../../../../src/core/kernel/filter.ts';
import { HINT_FLAGS, HINT_MAGIC, HINTS } from '../../../../src/core/kernel/hint.ts';
import { SYSCALLS } from '../../../../src/core/kernel/syscalls.ts';
import { runFilter } from '../../../support/run-filter.ts';

const NUMBER = new Map(SYSCALLS.map(({ name, nr }) => [name, nr]));
const OPENAT = NUMBER.get('openat')!;
const VARIANTS = [false, true].flatMap((hiding) => HINTS.map((hints) => ({ hiding, hints })));

describe.each(VARIANTS)('the filter for hints of: $hints (names hidden: $hiding)', ({ hiding, hints }) => {
  const filter = buildFilter({ hiding, hints });
  const openat = (upper: number, flags: number): string =>
    runFilter(filter, OPENAT, [0n, 0n, (BigInt(upper) << 32n) | BigInt(flags >>> 0)]);

  it('lets hints that only read what is there through, and no other combination of flags', () => {
    const wrong: string[] = [];
    for (const flags of combinations(Object.values(FLAGS))) {
      const expected = isHint(flags) || flags & FLAGS.O_PATH ? 'allow' : 'notify';
      if (openat(HINT_MAGIC, flags) !== expected) wrong.push(`0${flags.toString(8)}`);
    }
    expect(wrong).toEqual([]);
  });

  it('puts what is not marked as a hint before the supervisor, whatever its flags', () => {
    for (const upper of [0, 1, HINT_MAGIC + 1, HINT_MAGIC | 0x80000000, 0x69686b67, 0xffffffff])
      for (const flags of [0, HINT_FLAGS, FLAGS.O_DIRECTORY, FLAGS.O_CREAT, HINT_MAGIC])
        expect(`${upper} ${flags} ${openat(upper, flags & ~FLAGS.O_PATH)}`).toBe(`${upper} ${flags} notify`);
  });

  it('lets O_PATH through as before', () => {
    for (const upper of [0, 1, HINT_MAGIC])
      for (const flags of [FLAGS.O_PATH, FLAGS.O_PATH | FLAGS.O_DIRECTORY, FLAGS.O_PATH | FLAGS.O_RDWR])
        expect(openat(upper, flags)).toBe('allow');
  });

  it('knows no bit that it was not made for', () => {
    const known = Object.values(FLAGS).reduce((mask, flag) => mask | flag, 0);
    for (let bit = 0; bit < 32; bit++)
      if (!(known & (1 << bit))) expect(openat(HINT_MAGIC, (1 << bit) | FLAGS.O_DIRECTORY)).toBe('notify');
  });

  it('takes no hint from another argument', () => {
    for (const arg of [0, 1, 3, 4, 5]) {
      const args = [0n, 0n, BigInt(FLAGS.O_DIRECTORY), 0n, 0n, 0n];
      args[arg] = BigInt(HINT_MAGIC) << 32n;
      expect(runFilter(filter, OPENAT, args)).toBe('notify');
    }
  });

  it('treats every other call as if there were no hints', () => {
    const plain = buildFilter({ hiding });
    for (let nr = 0; nr < 600; nr++)
      for (const value of [
        0n,
        1n,
        BigInt(HINT_MAGIC) << 32n,
        (BigInt(HINT_MAGIC) << 32n) | BigInt(FLAGS.O_DIRECTORY),
      ]) {
        const args = Array<bigint>(6).fill(value);
        if (nr !== OPENAT) expect(runFilter(filter, nr, args)).toBe(runFilter(plain, nr, args));
      }
  });

  function isHint(flags: number): boolean {
    if (hints === 'none' || flags & ~HARMLESS) return false;
    return hints === 'files' || (flags & FLAGS.O_DIRECTORY) !== 0;
  }
});

// include/uapi/asm-generic/fcntl.h, as x86_64 has them
const FLAGS = {
  O_WRONLY: 0o1,
  O_RDWR: 0o2,
  O_CREAT: 0o100,
  O_EXCL: 0o200,
  O_NOCTTY: 0o400,
  O_TRUNC: 0o1000,
  O_APPEND: 0o2000,
  O_NONBLOCK: 0o4000,
  O_DSYNC: 0o10000,
  O_ASYNC: 0o20000,
  O_DIRECT: 0o40000,
  O_LARGEFILE: 0o100000,
  O_DIRECTORY: 0o200000,
  O_NOFOLLOW: 0o400000,
  O_NOATIME: 0o1000000,
  O_CLOEXEC: 0o2000000,
  O_PATH: 0o10000000,
  O_TMPFILE: 0o20000000,
} as const;

/** Written once more, so that a slip in the table shows. */
const HARMLESS = 0o400 | 0o4000 | 0o100000 | 0o200000 | 0o400000 | 0o2000000;

function* combinations(flags: readonly number[]): Generator<number> {
  for (let pick = 0; pick < 2 ** flags.length; pick++)
    yield flags.reduce((sum, flag, index) => (pick & (1 << index) ? sum | flag : sum), 0);
}
