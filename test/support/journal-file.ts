import { crc32 } from '../../src/core/wire/crc32.ts';
import { encodeFrame } from '../../src/core/wire/frame.ts';

/** A journal segment as a supervisor would write it, for tests that stand in for one. */
export function journalSegment(input: {
  run: string;
  frames: readonly Uint8Array[];
  segment?: number;
  first?: bigint;
  size?: number;
  continues?: boolean;
}): Uint8Array {
  const { run, frames, segment = 1, first = 1n, size = 4 * 1024 * 1024, continues = false } = input;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  bytes.set(Buffer.from('GKJRNL\0\x01', 'latin1'));
  view.setUint32(8, 4096, true);
  view.setUint32(12, segment, true);
  view.setBigUint64(16, BigInt(size), true);
  bytes.set(Buffer.from(run, 'latin1'), 24);
  view.setBigUint64(56, first, true);
  let at = 4096;
  for (const frame of frames) at = putRecord(bytes, at, frame);
  if (continues) view.setUint32(at, 0xffffffff, true);
  return bytes;
}

/** Writes one record and returns where the next one goes. */
export function putRecord(bytes: Uint8Array, at: number, frame: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  bytes.set(frame, at + 8);
  view.setUint32(at + 4, crc32(frame), true);
  view.setUint32(at, frame.length, true);
  return Math.ceil((at + 8 + frame.length) / 8) * 8;
}

export const TIME_NS = 1_795_240_800_123_000_000n; // 2026-11-21T06:00:00.123Z

export function noteFrame(text: string, number: bigint): Uint8Array {
  return encodeFrame('NOTE', { TIME_NS, KIND: Buffer.from('test'), TEXT: Buffer.from(text) }, number);
}

export function decisionFrame(
  number: bigint,
  target: string | Uint8Array,
  verdict: number,
  rule?: number,
  digest?: Uint8Array,
): Uint8Array {
  return encodeFrame(
    'DECISION',
    {
      TIME_NS,
      PID: 412,
      TID: 412,
      PROGRAM: Buffer.from('/usr/bin/cat'),
      ACTION: 0,
      VERDICT: verdict,
      SOURCE: rule === undefined ? 1 : 0,
      SYSCALL: 257,
      TARGET: typeof target === 'string' ? Buffer.from(target) : target,
      RULE: rule,
      IMAGE_DIGEST: digest,
    },
    number,
  );
}

export function resultFrame(number: bigint, of: number, errno: number): Uint8Array {
  return encodeFrame('RESULT', { TIME_NS, OF: of, ERRNO: errno }, number);
}

export function runStartFrame(number: bigint, digest: Uint8Array): Uint8Array {
  return encodeFrame(
    'RUN_START',
    { TIME_NS, PID: 1, COMMAND: Buffer.from('cat'), CWD: Buffer.from('/p'), IMAGE_DIGEST: digest, SIMULATE: 0 },
    number,
  );
}

export function runEndFrame(number: bigint, waitStatus: number): Uint8Array {
  return encodeFrame('RUN_END', { TIME_NS, STATUS: waitStatus, COUNT: number }, number);
}
