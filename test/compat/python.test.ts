import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { plainEnvironment } from '../support/bare.ts';
import { inside, outside } from '../support/run-inside.ts';
import { useSandbox } from '../support/sandbox.ts';
import { PYTHON_DIFFERENCES, PYTHON_MODULES } from './python-modules.ts';
import { pythonDifferences, pythonResults } from './python-results.ts';

/** Distributions often leave the tests out of the interpreter's package. */
const python = ['python3', '/usr/bin/python3'].find(
  (program) =>
    spawnSync(program, ['-c', 'import test.test_os, test.test_pty'], { env: plainEnvironment() }).status === 0,
);
if (python === undefined) console.warn("skipped: CPython's own tests (no python3 here brings its test package)");

describe.skipIf(python === undefined)("CPython's own tests", () => {
  const sandbox = useSandbox({ beneath: '/var/tmp' });

  it('end inside as they end outside, but for the listed reasons', async () => {
    const bare = await results('bare', outside);
    const within = await results('inside', inside);
    const unexplained = pythonDifferences(bare, within).filter(
      (line) => !PYTHON_DIFFERENCES.some(({ test }) => test.test(line.split(': ')[0]!)),
    );
    expect(unexplained).toEqual([]);
    const passed = [...within.values()].filter((outcome) => outcome === 'passed').length;
    expect(passed).toBeGreaterThan(1000);
  });

  async function results(name: string, run: typeof outside | typeof inside) {
    const directory = join(sandbox.project, name);
    mkdirSync(directory);
    const { stdout, stderr } = await run(
      sandbox,
      [python!, '-m', 'test', '--junit-xml', 'results.xml', '--timeout', '120', ...PYTHON_MODULES],
      { cwd: directory, timeoutMs: 200_000, env: { TMPDIR: directory } },
    );
    try {
      return pythonResults(readFileSync(join(directory, 'results.xml'), 'utf8'));
    } catch (cause) {
      throw new Error(`the tests did not end ${name}: ${stdout.slice(-2000)}${stderr.slice(-2000)}`, { cause });
    }
  }
});
