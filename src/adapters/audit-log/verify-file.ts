import { LineReader } from './line-reader.ts';
import { type LogState, LogVerifier } from './log-verifier.ts';
import { segmentPath } from './segments.ts';

/** A file without any problem, checked by itself from what it begins with. Passes between threads. */
export type SoundFile = {
  file: number;
  /** What its first entry says of the log before it, and what the last one leads to. `keys` of both begin with that of the first entry. */
  from: LogState;
  end: LogState;
  entries: number;
  signatures: number;
  losses: number[];
  lossCount: number;
  roots: [size: number, root: string][];
  pruned: { segment: number; last: number } | undefined;
};

/** Undefined when there is anything that has to be looked at more closely. */
export function verifyFile(
  directory: string,
  file: number,
  watched: readonly number[],
  progress: (entries: number, bytes: number) => void,
): SoundFile | undefined {
  const verifier = new LogVerifier({ watched });
  const reader = new LineReader(segmentPath(directory, file));
  let from: LogState | undefined;
  try {
    verifier.beginFile(file);
    for (;;) {
      const before = verifier.entries;
      const got = reader.step((bytes, isText) => {
        if (verifier.problems.length > 0) return;
        from ??= verifier.stateBefore(bytes);
        verifier.line(bytes, isText);
      });
      if (verifier.problems.length > 0) return undefined;
      progress(verifier.entries - before, got);
      if (got === 0) break;
    }
    if (reader.isTorn || from === undefined) return undefined;
  } finally {
    reader.close();
  }
  const { state, entries, signatures, losses, lossCount, roots, pruned } = verifier;
  return { file, from, end: state, entries, signatures, losses, lossCount, roots: [...roots], pruned };
}
