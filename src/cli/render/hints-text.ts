import type { Hints } from '../../core/policy/static-region.ts';
import { visible } from '../../core/text/visible.ts';

/** What a run may open without the supervisor being asked, and what stands in the way of more. */
export function hintsLine({ files, directories, why }: Hints): string {
  if (files) return 'fast reading: files and directories of trees that are free of rules';
  return `fast reading: ${directories ? 'directories alone' : 'none'}; ${visible(why)}`;
}
