import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readRecords } from '../../src/adapters/audit-log/read.ts';
import { requestControl } from '../../src/adapters/control-client/request.ts';
import { statusIfRunning } from '../../src/adapters/control-client/start-daemon.ts';
import { bootMoment } from '../../src/adapters/process/boot-clock.ts';
import type { AuditRecord } from '../../src/core/audit/record.ts';
import { API, type DaemonStatus, type ListRunsResponse } from '../../src/core/contract/control-api.ts';
import type { Grant } from '../../src/core/policy/grants.ts';
import { inside, outside } from '../support/run-inside.ts';
import { GATEKEEPER, type Sandbox, useSandbox } from '../support/sandbox.ts';

const POLICY = `version: 1
name: asking
extends: [default]
policies:
  - action: shell_exec
    rules:
      - { command: "id *", effect: ask, reason: who }
      - { command: "id -G", effect: deny }
  - action: file_read
    rules:
      - { path: "./asked/**", effect: ask }
`;

/** A shell in a run that goes on, which does one command after the other. */
class Shell {
  readonly #child: ChildProcess;
  #output = '';
  #count = 0;

  constructor(sandbox: Sandbox, name: string, policy: string) {
    const args = [GATEKEEPER, 'run', '--name', name, '--policy', policy, '--', 'sh'];
    const env = { ...process.env, ...sandbox.env };
    this.#child = spawn(process.execPath, args, { cwd: sandbox.project, env, stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child.stdout!.on('data', (chunk) => {
      this.#output += chunk;
    });
  }

  /** What the command prints, on either stream. */
  async do(command: string): Promise<string> {
    const mark = `--${++this.#count}--`;
    this.#output = '';
    this.#child.stdin!.write(`{ ${command}; } 2>&1; echo ${mark}\n`);
    while (!this.#output.includes(mark)) {
      if (this.#child.exitCode !== null) throw new Error(`the run has ended: ${this.#output}`);
      await sleep(5);
    }
    return this.#output.replace(`${mark}\n`, '');
  }

  end(): void {
    this.#child.stdin?.end();
  }
}

const ALLOWED = /^\d+\n$/;
const REFUSED = /denied/;

describe('a grant', () => {
  const sandbox = useSandbox();
  let policy = '';
  /** The image in which nothing is granted. */
  let without = '';
  let one: Shell;
  let other: Shell;

  beforeAll(async () => {
    policy = join(sandbox.root, 'asking.yaml');
    writeFileSync(policy, POLICY, { mode: 0o600 });
    sandbox.write('asked/file', 'CONTENT\n');
    one = new Shell(sandbox, 'one', policy);
    await one.do('true');
    without = (await runOf('one')).policyDigest;
    other = new Shell(sandbox, 'other', policy);
    await other.do('true');
  });
  afterEach(() => sandbox.gatekeeper(['grants', 'revoke', '--all']));
  afterAll(() => {
    one?.end();
    other?.end();
  });

  const grants = async (...args: string[]) => {
    const { status, stdout, stderr } = await sandbox.gatekeeper(['grants', ...args, '--json']);
    expect([status, stderr]).toEqual([0, '']);
    return JSON.parse(stdout);
  };
  const add = (...args: string[]): Promise<Grant & { answers: string | null }> =>
    grants('add', ...args, '--policy', policy);
  const until = async (shell: Shell, command: string, answer: RegExp) => {
    while (!answer.test(await shell.do(command))) await sleep(20);
  };
  const runOf = async (name: string) => {
    const { runs } = await requestControl<ListRunsResponse>(sandbox.layout, API.listRuns);
    return runs.find((run) => run.name === name)!;
  };
  const trouble = async () => (await requestControl<DaemonStatus>(sandbox.layout, API.status)).policyError;
  const recordOf = async (holds: (record: AuditRecord) => boolean): Promise<AuditRecord> => {
    for (;;) {
      const found = [...readRecords(sandbox.layout.audit)].flat().find(holds);
      if (found) return found;
      await sleep(20);
    }
  };

  it('answers a rule that asks in runs that go on, until it is revoked, with receipts of both', async () => {
    expect(await one.do('id -u')).toMatch(REFUSED);
    const { id, answers, at } = await add('shell_exec', 'id', '-u');
    expect(answers).toBe('user:asking.yaml:7');
    await until(one, 'id -u', ALLOWED);
    await until(other, 'id -u', ALLOWED);
    expect(await one.do('id -n -u')).toMatch(REFUSED);
    const receipt = await recordOf(({ rule, verdict }) => rule === `grants:${id}` && verdict === 'allow');
    const said = { grant: id, approver: userInfo().username, answered: at };
    expect(receipt).toMatchObject({ action: 'shell_exec', pierced: 'user:asking.yaml:7', ...said });
    const change = await recordOf(({ action, policyBefore }) => action === 'policy_change' && policyBefore === without);
    expect(change.policy).toBe(receipt.policy);
    const given = await recordOf(({ action, grant }) => action === 'grant' && grant === id);
    expect(given).toMatchObject({ ...said, kind: 'shell_exec', target: 'id -u', until: expect.any(String) });
    expect(given.seq).toBeLessThan(change.seq);
    await grants('revoke', id);
    expect(await recordOf(({ action, grant }) => action === 'grant_revoked' && grant === id)).toMatchObject(said);
    await until(one, 'id -u', REFUSED);
    await until(other, 'id -u', REFUSED);
  });

  it('answers for files as well, and only where a rule asks', async () => {
    expect((await outside(sandbox, ['cat', 'asked/file'])).stdout).toBe('CONTENT\n');
    expect(await one.do('cat asked/file')).toMatch(REFUSED);
    await add('file_read', 'asked/file');
    await until(one, 'cat asked/file', /^CONTENT\n$/);
    await grants('revoke', '--all');
    await until(one, 'cat asked/file', REFUSED);
  });

  it('never lifts a rule that denies', async () => {
    await add('shell_exec', '--pattern', 'id *');
    await until(one, 'id -u', ALLOWED);
    expect(await one.do('id -G')).toMatch(REFUSED);
    await grants('revoke', '--all');
    await until(one, 'id -u', REFUSED);
  });

  it('for one run holds for no other', async () => {
    const { id } = await add('shell_exec', 'id', '-u', '--run', 'one');
    await until(one, 'id -u', ALLOWED);
    // What reaches every run has reached this one too once it sees this.
    const seen = await add('shell_exec', 'id', '-n', '-u');
    await until(other, 'id -n -u', /^\S+\n$/);
    expect(await other.do('id -u')).toMatch(REFUSED);
    await grants('revoke', id);
    await grants('revoke', seen.id);
    await until(one, 'id -u', REFUSED);
  });

  it('is over when it is revoked or its store is damaged, though the policy cannot be read', async () => {
    const revoke = () => grants('revoke', '--all');
    const store = sandbox.layout.grants;
    const damage = () => writeFileSync(store, readFileSync(store, 'utf8').slice(0, -9));
    for (const end of [revoke, damage]) {
      await add('shell_exec', 'id', '-u', '--always');
      await until(one, 'id -u', ALLOWED);
      writeFileSync(policy, 'version: 1\nname: [');
      while (!(await trouble())) await sleep(20);
      await end();
      await until(one, 'id -u', REFUSED);
      writeFileSync(policy, POLICY);
      writeFileSync(store, '{ "v": 1, "grants": [] }');
      while (await trouble()) await sleep(20);
    }
  });

  it('cannot be read or made by a run', async () => {
    await add('shell_exec', 'id', '-u', '--always');
    const store = sandbox.layout.grants;
    const before = readFileSync(store, 'utf8');
    const everything = `version: 1
name: everything
policies:
  - action: [file_read, file_write, file_delete]
    rules: [{ path: "/**", effect: allow, override: true }]
  - { action: shell_exec, defaultEffect: allow }
`;
    const again = `GATEKEEPER_HOME=${sandbox.home} "$0" ${GATEKEEPER} grants`;
    const script = `cat ${store}; echo x > ${store}; echo x > ${store}.new; mv ${store} ${store}.old; rm -f ${store}
${again} list; ${again} add shell_exec id -G --always; true`;
    const { stdout, stderr, receipts } = await inside(sandbox, ['sh', '-c', script, process.execPath], {
      policy: everything,
    });
    expect(stdout).not.toMatch(/id|granted/);
    expect(stderr).toMatch(/grants.json: Permission denied/);
    expect(readFileSync(store, 'utf8')).toBe(before);
    expect(receipts).toContainEqual(
      expect.objectContaining({ action: 'file_read', verdict: 'deny', source: 'protection', target: store }),
    );
  });

  it('leaves the image when it ends', async () => {
    while ((await runOf('one')).policyDigest !== without) await sleep(20);
    // On a busy machine one may end before it gets there.
    for (let seconds = 2; ; seconds *= 2) {
      const { scope } = await add('shell_exec', 'id', '-u', '--for', `${seconds}s`);
      const ended = () => bootMoment().ms >= ('until' in scope ? scope.until : 0);
      while (!ended() && (await runOf('one')).policyDigest === without) await sleep(20);
      if ((await runOf('one')).policyDigest === without) continue;
      while (!ended() || (await runOf('one')).policyDigest !== without) await sleep(20);
      break;
    }
    await until(one, 'id -u', REFUSED);
  });

  it('ends in time though the daemon was killed', async () => {
    await until(one, 'id -u', REFUSED);
    // On a busy machine one may end before anybody sees it.
    for (let seconds = 3; ; seconds *= 2) {
      const { scope } = await add('shell_exec', 'id', '-u', '--for', `${seconds}s`);
      const ended = () => bootMoment().ms >= ('until' in scope ? scope.until : 0);
      let allowed = false;
      while (!allowed && !ended()) allowed = ALLOWED.test(await one.do('id -u'));
      if (allowed) break;
    }
    const daemon = await statusIfRunning(sandbox.layout);
    process.kill(daemon!.pid, 'SIGKILL');
    await until(one, 'id -u', REFUSED);
    expect(await statusIfRunning(sandbox.layout).catch(() => undefined)).toBeUndefined();
  });
});
