import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

/** Tries to read each file until it may, and says when that was. */
const INSIDE = `
const { readFileSync } = require('node:fs');
const tries = (name) => { for (;;) try { return readFileSync(name); } catch { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1); } };
for (const name of process.argv.slice(1)) { console.log('waits'); tries(name); console.log(Date.now()); }
`;

/**
 * Milliseconds from the write of a policy until a run that goes on decides by it, one for each round: a typical policy, of which a rule for files
 * changes.
 *
 * @param gatekeeper the command line, as words
 */
export async function measureReloads(
  gatekeeper: readonly string[],
  scratch: string,
  env: NodeJS.ProcessEnv,
  rounds: number,
): Promise<number[]> {
  const workspace = join(scratch, 'reloads');
  mkdirSync(workspace);
  const names = Array.from({ length: rounds }, (_, round) => `gate-${round}`);
  for (const name of names) writeFileSync(join(workspace, name), '');
  const policy = join(scratch, 'reloads.yaml');
  const shut = (from: number): void => {
    const rules = [...names.slice(from), 'last'].map((name) => `      - { path: ./${name}, effect: deny }\n`).join('');
    const head = 'version: 1\nname: reloads\nextends: [default, node, claude-code]\n';
    writeFileSync(policy, `${head}policies:\n  - action: file_read\n    rules:\n${rules}`, { mode: 0o600 });
  };
  shut(0);
  const command = [
    ...gatekeeper,
    'run',
    '--quiet-hook',
    '--policy',
    policy,
    '--',
    process.execPath,
    '-e',
    INSIDE,
    ...names,
  ];
  const child = spawn(command[0]!, command.slice(1), { cwd: workspace, env, stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await lines.next();
    await sleep(300);
    const begin = Date.now();
    shut(round + 1);
    const { value } = await lines.next();
    times.push(Number(value) - begin);
  }
  return times;
}
