import { expect, test } from 'vitest';
import { Scratch } from '../../../../src/core/audit/scratch.ts';

test('what is put into memory that is used again is what its first bytes show, whatever lengths came before', () => {
  const scratch = new Scratch();
  for (const [at, length] of [3, 5, 3, 0, 4096, 4097, 3, 5000, 9000, 4096, 100_000, 3].entries()) {
    const text = new Uint8Array(length).fill(at + 1);
    scratch.room(length).set(text);
    expect(scratch.first(length)).toEqual(text);
  }
});
