/**
 * Writes the files that are made from the tables in src/core and test/escape: `npm run generate`. With `--check` it writes nothing and
 * exits 1 when a committed file differs from what would be written.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { dispatchHeader } from './generate/dispatch-header.ts';
import { escapesPage } from './generate/escapes-page.ts';
import { filterHeader, hintHeader } from './generate/filter-header.ts';
import { policySchema } from './generate/policy-schema.ts';
import { recordSchema } from './generate/record-schema.ts';
import { wireHeader } from './generate/wire-header.ts';

const TARGETS: readonly { path: string; make: () => string }[] = [
  { path: 'native-hooks/include/gk_wire.gen.h', make: wireHeader },
  { path: 'native-hooks/include/gk_dispatch.gen.h', make: dispatchHeader },
  { path: 'native-hooks/include/gk_filter.gen.h', make: filterHeader },
  { path: 'native-hooks/include/gk_hint.gen.h', make: hintHeader },
  { path: 'policies/schema.json', make: policySchema },
  { path: 'schemas/audit-record.json', make: recordSchema },
  { path: 'docs/escapes.md', make: escapesPage },
];

const root = fileURLToPath(new URL('..', import.meta.url));
const check = process.argv.includes('--check');
const stale: string[] = [];
for (const { path, make } of TARGETS) {
  const wanted = make();
  const found = readIfThere(root + path);
  if (found === wanted) continue;
  if (check) stale.push(path);
  else writeFileSync(root + path, wanted);
}
if (stale.length > 0) {
  console.error(`generated files are stale: ${stale.join(', ')}; run: npm run generate`);
  process.exitCode = 1;
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
