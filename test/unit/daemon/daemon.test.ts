import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { requestControl } from '../../../src/adapters/control-client/request.ts';
import { API, type DaemonStatus, type ListRunsResponse } from '../../../src/core/contract/control-api.ts';
import { DaemonFixture, until } from '../../support/daemon-fixture.ts';
import { FakeSupervisor } from '../../support/fake-supervisor.ts';
import { decisionFrame, runEndFrame, runStartFrame } from '../../support/journal-file.ts';

const running: DaemonFixture[] = [];
const daemon = async (home?: string) => {
  const fixture = await new DaemonFixture(home).start();
  running.push(fixture);
  return fixture;
};
afterEach(async () => {
  for (const fixture of running.splice(0)) await fixture.stop();
});

const runs = async ({ layout }: DaemonFixture) => (await requestControl<ListRunsResponse>(layout, API.listRuns)).runs;
const digestBytes = (digest: string) => Buffer.from(digest.replace('sha256:', ''), 'hex');

async function supervised(fixture: DaemonFixture) {
  const created = await fixture.createRun();
  const supervisor = new FakeSupervisor(created.args);
  await supervisor.connect();
  await supervisor.next('WELCOME');
  supervisor.journal((number) => runStartFrame(number, digestBytes(created.policyDigest)));
  return { created, supervisor };
}

describe('a run', () => {
  test('is created with everything that its supervisor needs, closed to others', async () => {
    const fixture = await daemon();
    const created = await fixture.createRun({ simulate: true });
    const { layout } = fixture;
    const directory = `${layout.runs}/${created.id}`;
    expect(created).toMatchObject({
      id: expect.stringMatching(/^[0-9a-z]{26}$/),
      name: 'cat',
      supervisor: '/bin/true',
      // There is nothing in this test's installation that a run could load.
      warnings: ['careful', expect.stringMatching(/^hooks are left out/)],
      env: { HTTPS_PROXY: 'http://127.0.0.1:1111', GATEKEEPER_RUN: created.id },
    });
    const image = `${layout.images}/${created.policyDigest.slice(7)}.gkimg`;
    expect(created.args.join(' ')).toBe(
      `--run ${created.id} --run-dir ${directory} --image ${image} --socket ${layout.supervisorSocket} ` +
        `--proxy-port 1111 --transparent-port 2222 --offered ${directory}/offered --hints-why nothing --simulate`,
    );
    expect(created.envRules).toEqual(fixture.launch.env);
    for (const path of [directory, `${directory}/token`, image, layout.controlSocket, layout.supervisorSocket]) {
      expect(statSync(path).mode & 0o077, path).toBe(0);
    }
    expect(fixture.receipts('run_create')).toMatchObject([
      { run: created.id, command: 'cat /p/.env', sig: expect.anything() },
    ]);
    expect(await runs(fixture)).toMatchObject([{ id: created.id, state: 'starting', simulate: true }]);
  });

  test('starts as its policy says: environment, limits, and caches that go when it is over', async () => {
    const fixture = await daemon();
    fixture.launch = {
      env: [{ file: 'user:policy.yaml', drop: ['A_*'], pass: [], pierces: [0] }],
      limits: { processes: 64, memory: 2 ** 30, cpuTime: 60, openFiles: 256 },
      caches: { npm: 'private', pip: 'workspace' },
      onTighten: 'warn',
    };
    const { created, supervisor } = await supervised(fixture);
    expect(created.envRules).toEqual(fixture.launch.env);
    expect(created.args.join(' ')).toContain(
      '--warn-on-tighten --limit-processes 64 --limit-memory 1073741824 --limit-cpu-time 60 --limit-open-files 256',
    );
    const { npm_config_cache: npm, PIP_CACHE_DIR: pip } = created.env;
    expect(npm).toBe(`${fixture.layout.caches}/run-1/npm`);
    expect(pip).toMatch(new RegExp(`^${fixture.layout.caches}/workspace-[0-9a-f]{32}/pip$`));
    for (const path of [npm!, pip!]) expect(statSync(path).mode & 0o077, path).toBe(0);
    expect((await fixture.createRun()).env['npm_config_cache']).toBe(`${fixture.layout.caches}/run-2/npm`);
    supervisor.send('ENDED', { STATUS: 0 });
    await until(() => !existsSync(npm!));
    expect(existsSync(pip!)).toBe(true);
    expect((await fixture.createRun()).env['npm_config_cache']).toBe(npm);
  });

  test('has its policy watched as long as it goes on, and no longer', async () => {
    const fixture = await daemon();
    const { grants } = fixture.layout;
    expect(fixture.watched).toEqual({ files: [grants], urgent: false });
    const { supervisor } = await supervised(fixture);
    expect(fixture.watched).toEqual({ files: ['/p/.gatekeeper.yaml', grants], urgent: true });
    supervisor.send('ENDED', { STATUS: 0 });
    await until(() => !fixture.watched.urgent);
    expect(fixture.watched.files).toEqual([grants]);
  });

  test('gets a name that no other living run has', async () => {
    const fixture = await daemon();
    expect((await fixture.createRun()).name).toBe('cat');
    expect((await fixture.createRun()).name).toBe('cat-2');
    await fixture.createRun({ name: 'mine' });
    await expect(fixture.createRun({ name: 'mine' })).rejects.toMatchObject({ code: 'GK_REQUEST' });
  });

  test('is not created when its policy does not compile', async () => {
    const fixture = await daemon();
    fixture.policy = new Error('line 3, column 5');
    await expect(fixture.createRun()).rejects.toThrow('line 3, column 5');
    expect(await runs(fixture)).toEqual([]);
    expect(readdirSync(fixture.layout.runs)).toEqual([]);
  });

  test('has its journal in the chain, once, and is gone from the disk when it ended', async () => {
    const fixture = await daemon();
    const { created, supervisor } = await supervised(fixture);
    supervisor.journal((number) => decisionFrame(number, '/p/.env', 1, 1));
    await supervisor.drained();
    await supervisor.drained();
    supervisor.journal((number) => decisionFrame(number, '/p/a', 0));
    supervisor.journal((number) => runEndFrame(number, 3 << 8));
    supervisor.send('ENDED', { STATUS: 3 << 8 });
    await until(() => !existsSync(supervisor.directory));
    supervisor.disconnect();
    expect(await runs(fixture)).toMatchObject([
      { id: created.id, state: 'ended', exitStatus: 3, denied: 1, deniedByAction: { file_read: 1 } },
    ]);
    const receipts = fixture.receipts().filter(({ n }) => n !== undefined);
    expect(receipts.map(({ n, action, verdict, rule }) => [n, action, verdict, rule])).toEqual([
      [1, 'run_start', undefined, undefined],
      [2, 'file_read', 'deny', 'rule 1'],
      [3, 'file_read', 'allow', undefined],
      [4, 'run_end', undefined, undefined],
    ]);
    expect(new Set(receipts.map(({ policy }) => policy))).toEqual(new Set([created.policyDigest]));
    await fixture.stop();
    expect(await fixture.verify()).toMatchObject({ ok: true, losses: [] });
  });

  test('is recorded as ended although its journal has no end', async () => {
    const fixture = await daemon();
    const { supervisor } = await supervised(fixture);
    supervisor.send('ENDED', { STATUS: 9 });
    await until(() => !existsSync(supervisor.directory));
    expect(fixture.receipts('run_end')).toMatchObject([{ status: 137, text: 'the journal has no end' }]);
    expect(await runs(fixture)).toMatchObject([{ state: 'ended', exitStatus: 137 }]);
  });

  test('whose supervisor is gone is lost: what its journal holds is kept, what is left of it is killed', async () => {
    const fixture = await daemon();
    const created = await fixture.createRun();
    const guardian = spawn('bash', ['-c', 'read', created.id]);
    const supervisor = new FakeSupervisor(created.args, guardian.pid);
    await supervisor.connect();
    await supervisor.next('WELCOME');
    supervisor.journal((number) => decisionFrame(number, '/p/.env', 1));
    const killed = once(guardian, 'exit');
    supervisor.disconnect();
    expect((await killed)[1]).toBe('SIGKILL');
    await until(() => !existsSync(supervisor.directory));
    expect(fixture.receipts().slice(-2)).toMatchObject([
      { action: 'file_read', verdict: 'deny' },
      { action: 'run_lost', run: created.id, sig: expect.anything() },
    ]);
    expect(await runs(fixture)).toMatchObject([{ state: 'lost', denied: 1 }]);
  });

  test('survives a short break of its channel', async () => {
    const fixture = await daemon();
    const { supervisor } = await supervised(fixture);
    supervisor.disconnect();
    await supervisor.connect();
    await supervisor.next('WELCOME');
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(await runs(fixture)).toMatchObject([{ state: 'running' }]);
  });

  test('is asked to end by kill, by id or by name', async () => {
    const fixture = await daemon();
    const { supervisor } = await supervised(fixture);
    await requestControl(fixture.layout, API.killRun, { id: 'cat', body: {} });
    await supervisor.next('KILL');
    await expect(requestControl(fixture.layout, API.killRun, { id: 'dog', body: {} })).rejects.toMatchObject({
      code: 'GK_RUN_NOT_FOUND',
    });
  });
});

describe('a supervisor', () => {
  test.each<[string, Parameters<FakeSupervisor['connect']>[0]]>([
    ['another token', { TOKEN: Buffer.from('x') }],
    ['an empty token', { TOKEN: Buffer.alloc(0) }],
    ['another run', { RUN: Buffer.from('0'.repeat(26)) }],
    ['a run that is a path', { RUN: Buffer.from('../../etc') }],
    ['another directory', { PATH: Buffer.from('/tmp') }],
    ['a process that does not exist', { PID: 4_194_303 }],
  ])('is refused with %s', async (_name, change) => {
    const fixture = await daemon();
    const created = await fixture.createRun();
    const supervisor = new FakeSupervisor(created.args);
    await supervisor.connect(change);
    await expect(supervisor.next('WELCOME')).rejects.toThrow('the channel ended before WELCOME');
    expect(await runs(fixture)).toMatchObject([{ state: 'starting' }]);
  });

  test('is refused when the run has another one', async () => {
    const fixture = await daemon();
    const { created } = await supervised(fixture);
    const other = spawn('sleep', ['60']);
    const thief = new FakeSupervisor(created.args, other.pid);
    await thief.connect();
    await expect(thief.next('WELCOME')).rejects.toThrow('the channel ended');
    other.kill();
  });

  test.each<[string, (supervisor: FakeSupervisor) => void]>([
    ['a malformed frame', (s) => s.sendBytes(Buffer.from([1, 2, 3, 4]))],
    ['a frame that only the daemon sends', (s) => s.send('KILL', {})],
    ['a second HELLO', (s) => s.send('HELLO', {})],
    ['a connection of no family', (s) => s.send('CONNECTION', { SOURCE_PORT: 1, KIND: Buffer.from('proxy') })],
  ])('is cut off at %s', async (_name, misbehave) => {
    const fixture = await daemon();
    const { supervisor } = await supervised(fixture);
    misbehave(supervisor);
    await supervisor.closed();
    expect(fixture.said.join()).toContain('the supervisor’s connection ended'.replace('’', "'"));
  });

  test('announces connections, each for one socket of its own port', async () => {
    const fixture = await daemon();
    const { created, supervisor } = await supervised(fixture);
    const early = fixture.door.connection(4, 40_000);
    const announce = (family: number, port: number) =>
      supervisor.send('CONNECTION', {
        FAMILY: family,
        SOURCE_PORT: port,
        TARGET: Buffer.from('93.184.216.34'),
        PORT: 443,
        PID: 5,
        PROGRAM: Buffer.from('/usr/bin/curl'),
        KIND: Buffer.from('transparent'),
      });
    announce(4, 40_000);
    const expected = {
      run: created.id,
      pid: 5,
      program: '/usr/bin/curl',
      kind: 'transparent',
      address: '93.184.216.34',
      port: 443,
    };
    expect(await early).toEqual(expected);
    announce(6, 40_000);
    await supervisor.drained();
    expect(await fixture.door.connection(6, 40_000)).toEqual(expected);
    expect(await fixture.door.connection(6, 40_000)).toBeUndefined();
  });
});

describe('the egress', () => {
  test('has a policy for a run only while its supervisor is there', async () => {
    const fixture = await daemon();
    const created = await fixture.createRun();
    expect(fixture.door.policyOf(created.id)).toBeUndefined();
    const supervisor = new FakeSupervisor(created.args);
    await supervisor.connect();
    await supervisor.next('WELCOME');
    expect(fixture.door.policyOf(created.id)).toEqual({ image: { rules: ['rule 0', 'rule 1'] }, simulate: false });
    expect(fixture.door.policyOf('unknown')).toBeUndefined();
  });

  test('has its decisions in the chain before they take effect', async () => {
    const fixture = await daemon();
    const { created } = await supervised(fixture);
    const { image } = fixture.door.policyOf(created.id)!;
    const common = {
      run: created.id,
      pid: 5,
      program: '/usr/bin/curl',
      host: 'example.com',
      address: '93.184.216.34',
      port: 443,
      via: 'transparent',
      known: 'dns',
      image,
    } as const;
    await fixture.door.record({
      ...common,
      kind: 'decision',
      verdict: 'deny',
      source: 'rule',
      rule: 1,
      pierced: null,
      reason: null,
    });
    await fixture.door.record({ ...common, kind: 'closed', bytesUp: 1, bytesDown: 2, durationMs: 3.7 });
    expect(fixture.receipts('network')).toMatchObject([
      {
        verdict: 'deny',
        rule: 'rule 1',
        destination: 'example.com',
        policy: created.policyDigest,
        sig: expect.anything(),
      },
    ]);
    expect(fixture.receipts('connection_closed')).toMatchObject([{ bytesDown: 2, durationMs: 4 }]);
    expect(await runs(fixture)).toMatchObject([{ denied: 1 }]);
  });
});

describe('a changed policy', () => {
  test('is recorded with both digests and sent to its runs', async () => {
    const fixture = await daemon();
    const { created, supervisor } = await supervised(fixture);
    fixture.policy = 'other';
    fixture.changed(new Set(['/p/.gatekeeper.yaml']));
    const image = await supervisor.next('IMAGE');
    const [change] = fixture.receipts('policy_change');
    expect(change).toMatchObject({ run: created.id, policyBefore: created.policyDigest, sig: expect.anything() });
    expect(Buffer.from(image.fields.IMAGE_DIGEST!).toString('hex')).toBe(change!.policy!.slice(7));
    expect(Buffer.from(image.fields.PATH!).toString()).toBe(
      `${fixture.layout.images}/${change!.policy!.slice(7)}.gkimg`,
    );
    expect(fixture.door.policyOf(created.id)).toMatchObject({ image: { rules: ['other'] } });
  });

  test('is not taken when it does not compile, and says so until it does', async () => {
    const fixture = await daemon();
    const { created } = await supervised(fixture);
    fixture.policy = new Error('line 3, column 5');
    for (let time = 0; time < 3; time++) fixture.changed(new Set(['/p/.gatekeeper.yaml']));
    await until(() => fixture.receipts('policy_error').length > 0);
    expect(fixture.door.policyOf(created.id)).toMatchObject({ image: { rules: ['rule 0', 'rule 1'] } });
    expect(await requestControl<DaemonStatus>(fixture.layout, API.status)).toMatchObject({
      policyError: 'line 3, column 5',
    });
    fixture.policy = 'rule 0\nrule 1';
    fixture.changed(new Set(['/p/.gatekeeper.yaml']));
    await until(() => fixture.door !== undefined);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await requestControl<DaemonStatus>(fixture.layout, API.status)).not.toHaveProperty('policyError');
    expect(fixture.receipts('policy_error')).toHaveLength(1);
    expect(fixture.receipts('policy_change')).toHaveLength(0);
  });

  test('reaches a supervisor that joins only afterwards', async () => {
    const fixture = await daemon();
    const created = await fixture.createRun();
    fixture.policy = 'other';
    fixture.changed(new Set(['/p/.gatekeeper.yaml']));
    await until(() => fixture.receipts('policy_change').length > 0);
    const supervisor = new FakeSupervisor(created.args);
    await supervisor.connect();
    const { IMAGE_DIGEST } = (await supervisor.next('IMAGE')).fields;
    expect(Buffer.from(IMAGE_DIGEST!)).toEqual(digestBytes(fixture.receipts('policy_change')[0]!.policy!));
  });

  test('a change of other files is nothing to a run', async () => {
    const fixture = await daemon();
    await supervised(fixture);
    fixture.policy = 'other';
    fixture.changed(new Set(['/elsewhere']));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(fixture.receipts('policy_change')).toHaveLength(0);
  });

  test('a record is told in the terms of the image that judged it', async () => {
    const fixture = await daemon();
    const { created, supervisor } = await supervised(fixture);
    const before = created.policyDigest;
    supervisor.journal((number) => decisionFrame(number, '/a', 1, 0));
    await supervisor.drained();
    fixture.policy = 'new rule';
    fixture.changed(new Set(['/p/.gatekeeper.yaml']));
    await until(() => fixture.receipts('policy_change').length > 0);
    supervisor.journal((number) => decisionFrame(number, '/b', 1, 0)); // judged before the new image was taken
    const digest = fixture.receipts('policy_change')[0]!.policy!;
    supervisor.send('IMAGE_TAKEN', { IMAGE_DIGEST: digestBytes(digest), ERRNO: 0 });
    await supervisor.drained();
    supervisor.journal((number) => decisionFrame(number, '/c', 1, 0));
    supervisor.journal((number) => decisionFrame(number, '/d', 1, 0, digestBytes(before)));
    await supervisor.drained();
    const rules = fixture.receipts('file_read').map(({ rule, policy }) => [rule, policy]);
    expect(rules).toEqual([
      ['rule 0', before],
      ['rule 0', before],
      ['new rule', digest],
      ['rule 0', before],
    ]);
  });
});

describe('another daemon after this one', () => {
  test('goes on where the chain ends: nothing is lost, nothing is there twice', async () => {
    const first = await daemon();
    const home = first.layout.state.replace('/state', '');
    const { created, supervisor } = await supervised(first);
    supervisor.journal((number) => decisionFrame(number, '/1', 1, 0));
    await supervisor.drained();
    await first.stop();
    supervisor.journal((number) => decisionFrame(number, '/2', 1, 0));
    const second = await daemon(home);
    expect(second.receipts('file_read').map(({ n }) => n)).toEqual([2, 3]);
    await supervisor.connect();
    await supervisor.next('WELCOME');
    await supervisor.next('IMAGE');
    supervisor.journal((number) => decisionFrame(number, '/3', 1, 0));
    await supervisor.drained();
    expect(second.receipts('file_read').map(({ n }) => n)).toEqual([2, 3, 4]);
    expect(await runs(second)).toMatchObject([{ id: created.id, state: 'running', denied: 3 }]);
    await second.stop();
    expect(await second.verify()).toMatchObject({ ok: true, losses: [] });
  });

  test('listens where the runs of the earlier one connect to, and ends them when it cannot', async () => {
    const first = await daemon();
    const home = first.layout.state.replace('/state', '');
    const created = await first.createRun();
    const guardian = spawn('bash', ['-c', 'read', created.id]);
    const supervisor = new FakeSupervisor(created.args, guardian.pid);
    await supervisor.connect();
    await supervisor.next('WELCOME');
    await first.stop();
    const killed = once(guardian, 'exit');
    const second = new DaemonFixture(home);
    second.ports = { proxyPort: 1111, transparentPort: 3333 };
    running.push(await second.start());
    expect(second.door.ports).toEqual({ proxyPort: 1111, transparentPort: 2222 });
    expect((await killed)[1]).toBe('SIGKILL');
    await until(() => second.receipts('run_lost').length > 0);
    expect(second.receipts('note')).toMatchObject([{ kind: 'ports-taken', run: created.id }]);
  });

  test('knows that a run ended meanwhile from its journal', async () => {
    const first = await daemon();
    const home = first.layout.state.replace('/state', '');
    const created = await first.createRun();
    const process = spawn('sleep', ['60']);
    const supervisor = new FakeSupervisor(created.args, process.pid);
    await supervisor.connect();
    await supervisor.next('WELCOME');
    await first.stop();
    supervisor.journal((number) => runEndFrame(number, 2 << 8));
    process.kill('SIGKILL');
    await once(process, 'exit');
    const second = await daemon(home);
    await until(() => readdirSync(second.layout.runs).length === 0);
    expect(await runs(second)).toMatchObject([{ state: 'ended', exitStatus: 2 }]);
    expect(second.receipts('run_lost')).toEqual([]);
  });

  test('records the loss of a run whose supervisor died meanwhile', async () => {
    const first = await daemon();
    const home = first.layout.state.replace('/state', '');
    const created = await first.createRun();
    const process = spawn('sleep', ['60']);
    const supervisor = new FakeSupervisor(created.args, process.pid);
    await supervisor.connect();
    await supervisor.next('WELCOME');
    await first.stop();
    supervisor.journal((number) => decisionFrame(number, '/1', 1));
    process.kill('SIGKILL');
    await once(process, 'exit');
    const second = await daemon(home);
    await until(() => second.receipts('run_lost').length > 0);
    expect(second.receipts('file_read')).toMatchObject([{ run: created.id, verdict: 'deny' }]);
    await until(() => readdirSync(second.layout.runs).length === 0);
  });
});
