/**
 * The modules of CPython's own tests that take too long for every test run, or any others:
 * `tsx test/compat/python-long.ts [--ordinary] [MODULE…]`. Each is run bare and inside; what ends differently is printed with the reason
 * that is known for it, and the status is 1 when one has none.
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ordinaryAccount } from '../support/account.ts';
import { inside, outside } from '../support/run-inside.ts';
import { openSandbox } from '../support/sandbox.ts';
import { PYTHON_DIFFERENCES, PYTHON_LONG_DIFFERENCES, PYTHON_LONG_MODULES } from './python-modules.ts';
import { type PythonOutcome, pythonDifferences, pythonResults } from './python-results.ts';

const MODULE_TIMEOUT_MS = 600_000;

const { values, positionals } = parseArgs({
  options: { ordinary: { type: 'boolean', default: false }, python: { type: 'string', default: '/usr/bin/python3' } },
  allowPositionals: true,
});
const user = values.ordinary ? ordinaryAccount() : undefined;
const sandbox = openSandbox({ user });
const known = [...PYTHON_DIFFERENCES, ...PYTHON_LONG_DIFFERENCES];
let unexplained = 0;
try {
  for (const module of positionals.length > 0 ? positionals : PYTHON_LONG_MODULES) {
    const bare = await results(module, outside);
    const within = await results(module, inside);
    const differences = pythonDifferences(bare, within);
    if (bare.size === 0 || within.size === 0) {
      unexplained++;
      continue;
    }
    const passed = [...within.values()].filter((outcome) => outcome === 'passed').length;
    console.log(`${module}: ${within.size} tests, ${passed} passed inside, ${differences.length} differ`);
    for (const difference of differences) {
      const reason = known.find(({ test }) => test.test(difference.split(': ')[0]!))?.reason;
      if (reason === undefined) unexplained++;
      console.log(`  ${difference} (${reason ?? 'NOT KNOWN WHY'})`);
    }
  }
} finally {
  await sandbox.close();
}
process.exitCode = unexplained === 0 ? 0 : 1;

async function results(module: string, run: typeof outside | typeof inside): Promise<Map<string, PythonOutcome>> {
  const directory = join(sandbox.project, 'tests');
  rmSync(directory, { recursive: true, force: true });
  // The account that is to own the directory makes it.
  const script = `mkdir tests && cd tests && exec ${values.python} -m test --junit-xml results.xml --timeout 540 -i 'ThreadedVSOCK*' ${module}`;
  const { stdout, stderr } = await run(sandbox, ['bash', '-c', script], { timeoutMs: MODULE_TIMEOUT_MS });
  try {
    return pythonResults(readFileSync(join(directory, 'results.xml'), 'utf8'));
  } catch {
    console.log(`${module} did not end: ${`${stdout}${stderr}`.slice(-1500)}`);
    return new Map();
  }
}
