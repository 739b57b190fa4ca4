import { compareBytes, covers } from '../policy/floor.ts';
import { MOST, REGION_FILES } from '../policy/image-layout.ts';
import type { PolicyImage } from './image.ts';
import { ImageError } from './image-error.ts';

/** The same conditions that the supervisor puts to a region. @throws ImageError */
export function checkRegion({ region }: PolicyImage): void {
  if (region.length > MOST.region) throw new ImageError('too many hierarchies in the region');
  region.forEach(({ path, flags, zero }, index) => {
    if (!isCanonical(path)) throw new ImageError('region entry that is no canonical path');
    if (RESERVED.some((place) => covers(place, path)))
      throw new ImageError('region entry where the kernel makes the files');
    if (zero !== 0 || (flags & ~REGION_FILES) !== 0 || flags !== region[0]!.flags)
      throw new ImageError('region entry with odd flags');
    const before = region.slice(0, index).map((entry) => entry.path);
    if (index > 0 && compareBytes(before[index - 1]!, path) >= 0) throw new ImageError('region is not sorted');
    if (before.some((directory) => covers(directory, path))) throw new ImageError('region entry beneath another');
  });
}

/** Absolute, not the root, and names only: what the kernel opens must be what the compiler looked at. */
export function isCanonical(path: Uint8Array): boolean {
  if (path.length < 2 || path[0] !== SLASH || path.includes(0)) return false;
  let start = 1;
  for (let at = 1; at <= path.length; at++) {
    if (at < path.length && path[at] !== SLASH) continue;
    const name = path.subarray(start, at);
    if (name.length === 0 || (name.length <= 2 && name.every((byte) => byte === DOT))) return false;
    start = at + 1;
  }
  return true;
}

const SLASH = 0x2f;
const DOT = 0x2e;
/** What lies there changes with who looks. */
export const RESERVED = ['/proc', '/dev'].map((path) => new TextEncoder().encode(path));
