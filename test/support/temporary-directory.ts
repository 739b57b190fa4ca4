import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeTree } from './remove-tree.ts';

const made: string[] = [];

/** An empty directory that is gone when the test file is done. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'gatekeeper-test-'));
  made.push(directory);
  return directory;
}

/** After each test file; `after-file.ts` sees to it. */
export function removeTemporaryDirectories(): void {
  for (const directory of made.splice(0)) removeTree(directory);
}
