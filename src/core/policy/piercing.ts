import type { LayeredFile } from './layers.ts';
import { tightensOnly } from './source.ts';

/** Itself and what it extends, and the guards; nothing when the file can only tighten, or only answers what asks. */
export function piercedBy(file: LayeredFile, index: number, layered: readonly LayeredFile[]): Set<number> {
  const { layer } = file.source;
  if (layer === 'protection' || layer === 'grants') return new Set();
  if (tightensOnly(file.source)) return new Set();
  const pierced = new Set([index]);
  layered.forEach((other, at) => {
    if (file.ancestors.has(other) || (layer !== 'guards' && other.source.layer === 'guards')) pierced.add(at);
  });
  return pierced;
}
