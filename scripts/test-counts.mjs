/**
 * Sums up what scripts/test left in a directory: <name>.status (exit status of each step) and <name>.json (vitest's
 * report, for suites). Exits 1 when anything failed.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const directory = process.argv[2];
let passed = 0;
let failed = 0;
console.log('\nSummary');
for (const file of readdirSync(directory)
  .filter((name) => name.endsWith('.status'))
  .sort()) {
  const name = file.slice(0, -'.status'.length);
  const status = Number(readFileSync(join(directory, file), 'utf8'));
  const report = readReport(join(directory, `${name}.json`));
  passed += report?.numPassedTests ?? 0;
  // A step that failed without a failing test (a lint error, a suite that did not load) counts as one failure.
  const failures = Math.max(report?.numFailedTests ?? 0, status === 0 ? 0 : 1);
  failed += failures;
  const skipped = (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0);
  const counts = report
    ? `${report.numPassedTests} passed, ${failures} failed${skipped ? `, ${skipped} skipped` : ''}`
    : '';
  console.log(`  ${name.padEnd(12)} ${status === 0 ? 'ok  ' : 'FAIL'} ${counts}`.trimEnd());
}
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

function readReport(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}
