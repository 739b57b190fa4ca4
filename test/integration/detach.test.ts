import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { RunSummary } from '../../src/core/contract/control-api.ts';
import { type Sandbox, useSandbox } from '../support/sandbox.ts';

describe('run --detach', () => {
  const sandbox = useSandbox();

  it('returns while the run goes on, under its policy, until kill ends it with all that it started', async () => {
    sandbox.write('.env', 'SECRET=swordfish\n');
    const started = await detach('setsid sh -c "while :; do sleep 0.05; done" & touch up; cat .env; exec sleep 600');
    expect(started.status).toBe(0);
    const id = started.stdout.trim();
    await until(() => existsSync(join(sandbox.project, 'up')));
    expect(await runs()).toMatchObject([{ id, state: 'running' }]);
    expect((await sandbox.gatekeeper(['kill', id])).status).toBe(0);
    await until(async () => (await runs())[0]?.state !== 'running');
    await until(() => outputOf(started.stderr).includes('Permission denied'));
    expect(outputOf(started.stderr)).not.toContain('swordfish');
  });

  it('keeps what the command prints, and its status for ps', async () => {
    const started = await detach('echo out; echo err >&2; exit 3');
    expect(started.status).toBe(0);
    const id = started.stdout.trim();
    await until(async () => (await runs()).find((run) => run.id === id)?.state === 'ended');
    expect((await runs()).find((run) => run.id === id)?.exitStatus).toBe(3);
    expect(outputOf(started.stderr)).toBe('out\nerr\n');
  });

  it('has no terminal and nothing to read', async () => {
    const started = await detach('cat; ( : </dev/tty ) || echo none');
    await until(() => outputOf(started.stderr).includes('none'));
  });

  it('says why a command could not be started', async () => {
    const started = await sandbox.gatekeeper(['run', '--detach', '--', 'no-such-program']);
    expect(started).toMatchObject({ status: 127, stdout: '' });
    expect(started.stderr).toContain('no-such-program: command not found');
  });

  const detach = (script: string) => sandbox.gatekeeper(['run', '--detach', '--', 'sh', '-c', script]);
  const runs = () => listed(sandbox);
});

async function listed(sandbox: Sandbox): Promise<RunSummary[]> {
  return JSON.parse((await sandbox.gatekeeper(['ps', '--all', '--json'])).stdout) as RunSummary[];
}

/** The file that the command line named. */
const outputOf = (stderr: string): string => readFileSync(/goes to (\S+)/.exec(stderr)![1]!, 'utf8');

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let waited = 0; !(await condition()); waited += 50) {
    if (waited > 30_000) throw new Error('it does not happen');
    await sleep(50);
  }
}
