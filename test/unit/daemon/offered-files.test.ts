import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { RunNames } from '../../../src/adapters/proxy/names.ts';
import { parseAddress } from '../../../src/core/egress/address.ts';
import { OfferedFiles } from '../../../src/daemon/offered-files.ts';
import { Images } from '../../../src/daemon/run-policy.ts';
import type { RunRecord } from '../../../src/daemon/run-record.ts';
import { RunStore } from '../../../src/daemon/run-store.ts';
import { DaemonFixture, until } from '../../support/daemon-fixture.ts';
import { FakeSupervisor } from '../../support/fake-supervisor.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const running: DaemonFixture[] = [];
const daemon = async (names: string[], home?: string) => {
  const fixture = new DaemonFixture(home);
  fixture.exactNames = names;
  running.push(await fixture.start());
  return fixture;
};
afterEach(async () => {
  for (const fixture of running.splice(0)) await fixture.stop();
});

const offered = ({ layout }: DaemonFixture, run: string) => `${layout.runs}/${run}/offered`;
const named = (path: string) =>
  readFileSync(`${path}/hosts`, 'latin1')
    .split('\n')
    .filter((line) => line.startsWith('198.'));

describe('what a run is offered', () => {
  test('is there before its supervisor starts, and only the daemon changes it', async () => {
    const fixture = await daemon(['b.test', 'a.test']);
    const { id, args } = await fixture.createRun();
    const path = offered(fixture, id);
    expect(args[args.indexOf('--offered') + 1]).toBe(path);
    expect(readdirSync(path)).toEqual(expect.arrayContaining(['hosts', 'resolv.conf']));
    expect(statSync(path).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(path)) expect(statSync(`${path}/${name}`).mode & 0o777).toBe(0o444);
    expect(readFileSync(`${path}/resolv.conf`, 'utf8')).toMatch(/^nameserver 198\.18\.0\.1$/m);
    expect(named(path)).toEqual(['198.18.0.2\tb.test', '198.18.0.3\ta.test']);
    expect(readFileSync(`${path}/hosts`, 'latin1')).toMatch(/^127\.0\.0\.1\s+localhost/m);
  });

  test('follows its policy, and a name that comes back has its address again', async () => {
    const fixture = await daemon(['a.test', 'b.test']);
    const { id } = await fixture.createRun();
    const path = offered(fixture, id);
    for (const [policy, names, lines] of [
      ['second', ['b.test', 'c.test'], ['198.18.0.3\tb.test', '198.18.0.4\tc.test']],
      ['third', ['c.test', 'a.test'], ['198.18.0.4\tc.test', '198.18.0.2\ta.test']],
    ] as const) {
      fixture.exactNames = [...names];
      fixture.policy = policy;
      fixture.changed(new Set(['/p/.gatekeeper.yaml']));
      await until(() => named(path).join() === lines.join());
    }
    expect(readFileSync(`${fixture.layout.runs}/${id}/names`, 'utf8')).toBe('a.test\nb.test\nc.test\n');
  });

  test('stands for the same names in the daemon that comes back, and goes with the run', async () => {
    const fixture = await daemon(['a.test']);
    const { id, args } = await fixture.createRun();
    const supervisor = new FakeSupervisor(args);
    await supervisor.connect();
    await supervisor.next('WELCOME');
    const address = parseAddress('198.18.0.2')!;
    const home = fixture.layout.state.replace(/\/state$/, '');
    await fixture.stop();
    const next = await daemon(['a.test'], home);
    expect(next.door.names.nameOf(id, address)).toBe('a.test');
    const again = new FakeSupervisor(args);
    await again.connect();
    await again.next('WELCOME');
    again.send('ENDED', { STATUS: 0 });
    await until(() => !existsSync(`${next.layout.runs}/${id}`));
    await until(() => next.door.names.nameOf(id, address) === undefined);
  });

  test('may be gone without the run: its policy changes all the same', async () => {
    const fixture = await daemon(['a.test']);
    const { id } = await fixture.createRun();
    const path = offered(fixture, id);
    rmSync(path, { recursive: true });
    fixture.policy = 'second';
    fixture.changed(new Set(['/p/.gatekeeper.yaml']));
    await until(() => fixture.receipts('policy_change').length === 1);
    writeFileSync(path, 'in the way');
    fixture.policy = 'third';
    fixture.changed(new Set(['/p/.gatekeeper.yaml']));
    await until(() => fixture.receipts('policy_change').length === 2);
    expect(fixture.said.join()).toContain('its file of hosts cannot be written');
  });

  test('is made of what the system has, whatever lies there', () => {
    const directory = temporaryDirectory();
    const [system, runs] = [`${directory}/etc`, `${directory}/runs`];
    for (const path of [system, runs]) mkdirSync(path);
    const store = new RunStore(runs);
    const images = new Images(
      directory,
      () => 'image',
      () => undefined,
    );
    const names = new RunNames((id) => store.directory(id));
    const files = new OfferedFiles({
      store,
      images,
      names,
      exactNames: () => [],
      mayReachAt: () => false,
      say: () => undefined,
      system,
    });
    const policyDigest = images.store(Buffer.from('image'));
    const offeredTo = (id: string) => {
      const record = { id, policyDigest } as RunRecord;
      store.create(record);
      const path = files.create(record);
      return Object.fromEntries(readdirSync(path).map((name) => [name, readFileSync(`${path}/${name}`, 'latin1')]));
    };
    const none = offeredTo('none');
    expect(Object.keys(none).sort()).toEqual(['hosts', 'resolv.conf']);
    writeFileSync(`${system}/hosts`, Buffer.from('127.0.0.1 localhost b\xfcro\n', 'latin1'));
    writeFileSync(`${system}/resolv.conf`, 'search a.test\n');
    writeFileSync(`${system}/nsswitch.conf`, 'hosts: files resolve [!UNAVAIL=return] dns\n');
    expect(offeredTo('all')).toMatchObject({
      hosts: expect.stringContaining('\n127.0.0.1 localhost b\xfcro\n'),
      'resolv.conf': expect.stringContaining('\nsearch a.test\n'),
      'nsswitch.conf': 'hosts: files dns\n',
    });
    for (const name of ['hosts', 'resolv.conf', 'nsswitch.conf']) rmSync(`${system}/${name}`);
    symlinkSync('/proc/self/mem', `${system}/hosts`);
    execFileSync('mkfifo', [`${system}/resolv.conf`]);
    expect(offeredTo('odd')).toEqual(none);
  });

  test('is needed: a run that cannot have it is not created', async () => {
    const fixture = await daemon(['a.test']);
    fixture.exactNames = ['a.test', ''];
    await expect(fixture.createRun()).rejects.toThrow('no name of a host');
    expect(readdirSync(fixture.layout.runs)).toEqual([]);
  });
});
