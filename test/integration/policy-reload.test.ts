import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { requestControl } from '../../src/adapters/control-client/request.ts';
import { daemonVerb } from '../../src/cli/commands/daemon.ts';
import { ps } from '../../src/cli/commands/ps.ts';
import { policyChecks } from '../../src/cli/policy-checks.ts';
import { API, type DaemonStatus, type ListRunsResponse } from '../../src/core/contract/control-api.ts';
import { DaemonProcess } from '../support/daemon-process.ts';
import { FakeSupervisor } from '../support/fake-supervisor.ts';

const made = new DaemonProcess();
const file = made.layout.userPolicy;
const cases = file.replace('.yaml', '.cases.yaml');
const beside = (name: string) => `${made.layout.config}/${name}`;
let supervisor: FakeSupervisor;
let count = 0;

const text = (rule: string, more = '') =>
  `version: 1\nname: mine\n${more}policies:\n  - action: file_read\n    rules:\n      - { path: "${rule}", effect: deny }\n`;
/** A good policy that was not there before. */
const fresh = (more = '') => text(`**/*.new${++count}`, more);
const write = (path: string, content: string | Uint8Array) => writeFileSync(path, content, { mode: 0o600 });
/** In one step, whatever stands in its place. */
const replace = (content: string | Uint8Array) => {
  write(`${file}.tmp`, content);
  rmSync(file, { recursive: true, force: true });
  renameSync(`${file}.tmp`, file);
};
const stand = (put: () => unknown) => {
  rmSync(file);
  put();
};
const trouble = async () => (await requestControl<DaemonStatus>(made.layout, API.status)).policyError;
const digest = async () => (await requestControl<ListRunsResponse>(made.layout, API.listRuns)).runs[0]!.policyDigest;
const until = async (holds: () => Promise<boolean>) => {
  while (!(await holds())) await sleep(20);
};

beforeAll(async () => {
  mkdirSync(made.layout.config, { recursive: true });
  replace(fresh());
  await made.start();
  const created = await made.createRun();
  supervisor = new FakeSupervisor(created.args);
  await supervisor.connect();
});
afterAll(() => made.end('SIGKILL'));

/** The supervisor gets an image, and nothing is wrong any more. */
async function taken(): Promise<void> {
  const before = await digest();
  await until(async () => (await digest()) !== before && (await trouble()) === undefined);
}

describe('a policy file that cannot be used', () => {
  const foreign = process.getuid!() === 0;
  const rows: [string, string, () => void][] = [
    ['is half written', 'policy.yaml:', () => replace(fresh().slice(0, -20))],
    ['is empty', 'policy.yaml', () => replace('')],
    ['is deleted', 'the policy file is gone', () => rmSync(file)],
    ['is a link that leads nowhere', 'the policy file is gone', () => stand(() => symlinkSync('/nonexistent', file))],
    ['is a link to itself', 'symbolic link', () => stand(() => symlinkSync(file, file))],
    ['is a FIFO', 'not a regular file', () => stand(() => execFileSync('mkfifo', [file]))],
    ['is a directory', 'not a regular file', () => stand(() => mkdirSync(file))],
    ['is huge', 'larger than', () => truncateSync(file, 1 << 30)],
    ['is no text', 'not UTF-8', () => replace(Uint8Array.of(0xff, 0xfe, 0x00))],
    ['can be written by everybody', 'everyone can write', () => chmodSync(file, 0o606)],
    ['extends what is not there', 'does not exist', () => replace(fresh('extends: [./missing.yaml]\n'))],
    ['extends itself', 'circle', () => replace(fresh('extends: [./policy.yaml]\n'))],
    ...(foreign
      ? ([
          ['belongs to somebody else', 'belongs to user 12345', () => chownSync(file, 12345, 12345)],
          [
            'can be written by a group',
            'group 12345 can write',
            () => {
              chownSync(file, 0, 12345);
              chmodSync(file, 0o660);
            },
          ],
        ] satisfies [string, string, () => void][])
      : []),
  ];

  test.each(rows)('that %s leaves the last good one in force, until it is mended', async (_name, why, spoil) => {
    const good = await digest();
    spoil();
    await until(async () => (await trouble())?.includes(why) ?? false);
    expect(await digest()).toBe(good);
    replace(fresh());
    await taken();
  });

  test('that fails a case beside it leaves the last good one in force', async () => {
    const good = await digest();
    write(cases, 'cases:\n  - { action: file_read, path: ./a.secret, expect: deny, reason: mine }\n');
    await until(async () => (await trouble())?.includes('fails its own case: file_read ./a.secret') ?? false);
    expect(await trouble()).toContain('policy.cases.yaml:2');
    expect(await digest()).toBe(good);
    replace(text('**/*.secret').replace('deny }', 'deny, reason: mine }'));
    await taken();
    rmSync(cases);
  });
});

describe('a broken policy', () => {
  afterEach(() => vi.restoreAllMocks());

  test('is named by ps, daemon status and doctor until it is mended', async () => {
    vi.stubEnv('GATEKEEPER_HOME', made.home);
    const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const said = async (tell: () => Promise<unknown>): Promise<string> => {
      written.mockClear();
      await tell();
      return written.mock.calls.join('');
    };
    const ways = [() => ps({}), () => daemonVerb('status', {})];
    replace(fresh().replace('rules', 'ruels'));
    await until(async () => (await trouble()) !== undefined);
    for (const way of ways) expect(await said(way)).toMatch(/the last good one is in force: .*policy\.yaml:5:5/);
    expect((await policyChecks()).map(({ ok }) => ok)).toEqual([false, false]);
    replace(fresh());
    await taken();
    for (const way of ways) expect(await said(way)).not.toContain('last good');
    expect((await policyChecks()).map(({ ok }) => ok)).toEqual([true, true]);
    vi.unstubAllEnvs();
  });
});

describe('a changed policy', () => {
  test('is on record with both digests before the supervisor gets it', async () => {
    const before = await digest();
    replace(fresh());
    await taken();
    expect(made.receipts('policy_change').at(-1)).toMatchObject({ policyBefore: before, policy: await digest() });
  });

  test('may begin with a byte order mark', async () => {
    replace(`\ufeff${fresh()}`);
    await taken();
  });

  test('is found behind a link that is pointed elsewhere', async () => {
    write(beside('one.yaml'), fresh());
    write(beside('two.yaml'), fresh());
    for (const name of ['one.yaml', 'two.yaml']) {
      symlinkSync(name, `${file}.link`);
      renameSync(`${file}.link`, file);
      await taken();
    }
    write(beside('two.yaml'), fresh());
    await taken();
    replace(fresh());
    await taken();
  });

  test('is found behind a directory that is swapped', async () => {
    for (const name of ['a', 'b']) {
      mkdirSync(beside(name));
      write(beside(`${name}/part.yaml`), fresh());
    }
    symlinkSync('a', beside('current'));
    replace(fresh('extends: [./current/part.yaml]\n'));
    await taken();
    symlinkSync('b', beside('current.new'));
    renameSync(beside('current.new'), beside('current'));
    await taken();
  });

  test('may extend a file in a directory that comes later', async () => {
    const good = await digest();
    replace(fresh('extends: [./later/part.yaml]\n'));
    await until(async () => (await trouble())?.includes('does not exist') ?? false);
    expect(await digest()).toBe(good);
    mkdirSync(beside('later'));
    write(beside('later/part.yaml'), fresh());
    await taken();
    expect(existsSync(file)).toBe(true);
  });

  test('reaches the supervisor as the image that is in force', async () => {
    for (;;) {
      const { IMAGE_DIGEST } = (await supervisor.next('IMAGE')).fields;
      if (`sha256:${Buffer.from(IMAGE_DIGEST!).toString('hex')}` === (await digest())) return;
    }
  });
});
