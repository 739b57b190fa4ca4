import { compareBytes, covers, isCanonical, isMadeByKernel } from '../policy/hierarchy.ts';
import { MOST, REGION_FILES } from '../policy/image-layout.ts';
import type { PolicyImage } from './image.ts';
import { ImageError } from './image-error.ts';

/** The same conditions that the supervisor puts to a region. @throws ImageError */
export function checkRegion({ region }: PolicyImage): void {
  if (region.length > MOST.region) throw new ImageError('too many hierarchies in the region');
  region.forEach(({ path, flags, zero }, index) => {
    if (!isCanonical(path)) throw new ImageError('region entry that is no canonical path');
    if (isMadeByKernel(path)) throw new ImageError('region entry where the kernel makes the files');
    if (zero !== 0 || (flags & ~REGION_FILES) !== 0 || flags !== region[0]!.flags)
      throw new ImageError('region entry with odd flags');
    const before = region.slice(0, index).map((entry) => entry.path);
    if (index > 0 && compareBytes(before[index - 1]!, path) >= 0) throw new ImageError('region is not sorted');
    if (before.some((directory) => covers(directory, path))) throw new ImageError('region entry beneath another');
  });
}
