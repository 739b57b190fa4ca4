import { describe, expect, it } from 'vitest';
import { BufferPool, ReadBuffers } from '../../../../src/adapters/proxy/read-buffers.ts';

/** Reads that fill the buffer, or read `bytes`, each of them written before the next: the memory that was read into. */
function read(buffers: ReadBuffers, times: number, bytes?: number): Uint8Array[] {
  return Array.from({ length: times }, () => {
    const buffer = buffers.next(0);
    buffers.filled(bytes ?? buffer.length);
    return buffer;
  });
}

describe('a tunnel that carries little', () => {
  it('has no memory of its own', () => {
    const pool = new BufferPool();
    const [one, other] = [new ReadBuffers(pool), new ReadBuffers(pool)];
    expect(new Set([...read(one, 5, 10), ...read(other, 5, 1000)])).toEqual(new Set([pool.shared]));
  });

  it('keeps what it read while others read', () => {
    const pool = new BufferPool();
    const [one, other] = [new ReadBuffers(pool), new ReadBuffers(pool)];
    one.next(0).fill(1);
    const chunk = one.filled(3);
    other.next(0).fill(2);
    expect([...chunk]).toEqual([1, 1, 1]);
    expect([...other.filled(2)]).toEqual([2, 2]);
  });
});

describe('a tunnel whose reads are full', () => {
  it('borrows two large buffers, which take turns', () => {
    const pool = new BufferPool();
    const [first, second, third, fourth] = read(new ReadBuffers(pool), 4);
    expect(first).toBe(pool.shared);
    expect(second?.length).toBeGreaterThan(pool.shared.length);
    expect([third === second, fourth === second]).toEqual([false, true]);
  });

  it('reads into no memory that is being written, while at most the last read is', () => {
    const buffers = new ReadBuffers(new BufferPool());
    let writing: Uint8Array = new Uint8Array(0);
    for (const bytes of [0, 0, 0, 100, 0, 0, 5, 5, 0, 0, 0, 0]) {
      const buffer = buffers.next(1);
      expect(buffer.buffer).not.toBe(writing.buffer);
      writing = buffers.filled(bytes || buffer.length);
    }
  });

  it('gives them back after a short one, but not before they are written', () => {
    const pool = new BufferPool();
    const buffers = new ReadBuffers(pool);
    const large = read(buffers, 3).slice(1);
    buffers.next(1);
    buffers.filled(5);
    expect(buffers.next(1)).toBe(pool.shared);
    const taken = () => pool.take() as Uint8Array;
    expect(large.includes(taken())).toBe(false);
    buffers.settle(0);
    expect(large.includes(taken())).toBe(true);
  });

  it('goes on with the shared memory when the large ones are all lent, and borrows what came back', () => {
    const pool = new BufferPool();
    while (pool.take());
    const buffers = new ReadBuffers(pool);
    expect(new Set(read(buffers, 10))).toEqual(new Set([pool.shared]));
    pool.giveBack(undefined);
    expect(read(buffers, 4).some((buffer) => buffer !== pool.shared)).toBe(true);
  });

  it('does not hand memory to another tunnel that a write may still be reading', () => {
    const pool = new BufferPool();
    const buffers = new ReadBuffers(pool);
    const used = new Set(read(buffers, 10));
    buffers.release(true);
    for (let buffer = pool.take(); buffer; buffer = pool.take()) expect(used.has(buffer)).toBe(false);
  });
});
