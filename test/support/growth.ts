/**
 * How many times longer `work` takes for 8 times the size: about 8 when it is linear, 64 when it is quadratic. The best of several rounds in turn
 * counts, so that what else the machine does is not in it.
 */
export function growthOf(work: (size: number) => void, size: number): number {
  const best = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  work(size);
  for (let round = 0; round < 7; round++) {
    [size, 8 * size].forEach((each, index) => {
      const started = performance.now();
      work(each);
      best[index] = Math.min(best[index]!, performance.now() - started);
    });
  }
  return best[1]! / Math.max(0.02, best[0]!);
}
