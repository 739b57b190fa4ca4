import { expect, it } from 'vitest';
import { BufferPool, ReadBuffers } from '../../../../src/adapters/proxy/read-buffers.ts';

/** Reads that fill the buffer, or read `bytes`. */
function read(buffers: ReadBuffers, times: number, bytes?: number): Uint8Array[] {
  return Array.from({ length: times }, () => {
    const buffer = buffers.next(true);
    buffers.filled(bytes ?? buffer.length);
    return buffer;
  });
}

it('two buffers take turns', () => {
  const [first, second, third, fourth] = read(new ReadBuffers(new BufferPool()), 4, 10);
  expect(first).toBe(third);
  expect(second).toBe(fourth);
  expect(first).not.toBe(second);
});

it('grows while reads fill the memory, and shrinks when they have been small for long', () => {
  const buffers = new ReadBuffers(new BufferPool());
  const sizes = read(buffers, 6).map(({ length }) => length);
  const [small = 0, large = 0] = [sizes[0], sizes.at(-1)];
  expect(large).toBeGreaterThan(small);
  expect(read(buffers, 4, 100).at(-1)).toHaveLength(large);
  expect(read(buffers, 40, 100).at(-1)).toHaveLength(small);
});

it('never exchanges a buffer that is still being written', () => {
  const buffers = new ReadBuffers(new BufferPool());
  const [older] = read(buffers, 2);
  expect(buffers.next(false)).toBe(older);
});

it('stays small when the large ones are all lent, and lends again what came back', () => {
  const pool = new BufferPool();
  while (pool.take());
  const buffers = new ReadBuffers(pool);
  const small = read(buffers, 10).at(-1)?.length ?? 0;
  pool.giveBack(undefined);
  expect(read(buffers, 4).some(({ length }) => length > small)).toBe(true);
});

it('does not hand memory to another tunnel that a write may still be reading', () => {
  const pool = new BufferPool();
  const buffers = new ReadBuffers(pool);
  const used = new Set(read(buffers, 10));
  buffers.release(true);
  for (let buffer = pool.take(); buffer; buffer = pool.take()) expect(used.has(buffer)).toBe(false);
});
