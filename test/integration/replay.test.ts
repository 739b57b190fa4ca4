import { chmodSync, cpSync, linkSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readRecords } from '../../src/adapters/audit-log/read.ts';
import { RunAuthority } from '../../src/adapters/inspection/run-authority.ts';
import { type ReplayOptions, replayLog } from '../../src/cli/commands/replay.ts';
import type { AuditRecord } from '../../src/core/audit/record.ts';
import { inside } from '../support/run-inside.ts';
import { useSandbox } from '../support/sandbox.ts';
import { startSecureOrigin } from './inspect-rig.ts';

/** One log with decisions of every kind, made by the supervisor and the egress; what the command line says of it. */
const sandbox = useSandbox();
const authority = new RunAuthority('the origins');
let origin: Awaited<ReturnType<typeof startSecureOrigin>>;
let records: AuditRecord[];

const policy = (more = '') => `version: 1
name: many
extends: [default]
policies:
  - action: file_read
    rules:
      - { path: "./secret/**", effect: deny, reason: secret }
      - { path: "./asked/**", effect: ask }
      - { path: "./hidden/**", effect: deny, hide: true }
      - { path: "./logged/**", effect: allow, log: true }
${more}  - action: file_write
    rules:
      - { path: "./fixed/**", effect: deny }
  - action: shell_exec
    rules:
      - { command: "id *", effect: ask, reason: who }
      - { command: "uname *", effect: deny }
      - { command: "make *", effect: allow, children: check }
      - { command: "perl *", effect: deny, reason: no perl }
      - { command: "wget *", effect: deny }
  - action: network
    rules:
      - { destination: "localhost:${origin.port}", effect: allow, inspect: true, methods: [GET] }
      - { destination: "*.refused.test", effect: deny, reason: not there }
      - { destination: "nobody.invalid:80", effect: ask }
      - { destination: "10.0.0.0/8:80", effect: deny }
`;

/** Files, commands and this machine. */
const SCRIPT = `
cat secret/f asked/f hidden/f logged/f logged/$'odd\\xff' secret/$'odd\\xff'
cat other-name
echo x > fixed/f; mv fixed/f x; mv secret moved; ln -s ../secret logged/link; rm fixed/f
mkdir -p .git && echo x > .git/config; mv tree/inner inner
uname -a; uname --token=abc; make; ./script; ./script --token=secret; (exec -a wget true); (exec -a '' uname)
ln -s /usr/bin/uname alias; ./alias -a; cp /usr/bin/true own; ./own; env uname; uname ${'a'.repeat(5000)}
/lib64/ld-linux-x86-64.so.2 /usr/bin/true
curl -sS -m 5 --noproxy none https://localhost:$PORT/a/b https://localhost:$PORT/a?token=b
curl -sS -m 5 --noproxy '*' -d x https://localhost:$PORT/a/b; curl -sS -m 5 http://localhost:1/
`;
/** Where refusals keep everything on this machine. */
const ELSEWHERE = `
python3 connect.py
curl -sS -m 5 http://x.refused.test/ http://nobody.invalid/ http://10.1.2.3/ https://unknown.test/
`;
/** What no proxy is told of: addresses, names of their own, sockets of other kinds. */
const CONNECT = `
import socket
def attempt(family, kind, address, act='connect'):
    try: getattr(socket.socket(family, kind), act)(address)
    except OSError as error: print(error)
for address in [('127.0.0.1', 1), ('10.1.2.3', 80), ('93.184.216.34', 443)]: attempt(socket.AF_INET, socket.SOCK_STREAM, address)
attempt(socket.AF_INET6, socket.SOCK_STREAM, ('::1', 1))
attempt(socket.AF_INET, socket.SOCK_STREAM, ('10.1.2.3', 8080), 'bind')
attempt(socket.AF_UNIX, socket.SOCK_STREAM, '\\0abstract')
attempt(socket.AF_UNIX, socket.SOCK_STREAM, 'socket')
attempt(socket.AF_UNIX, socket.SOCK_STREAM, '/run/other.sock')
for name in ['a.refused.test', 'unknown.test', 'odd name']:
    try: socket.getaddrinfo(name, 80)
    except OSError as error: print(error)
`;

beforeAll(async () => {
  origin = await startSecureOrigin(authority, (request, response) => {
    request.resume();
    response.end('hello');
  });
  writeFileSync(join(sandbox.root, 'origins.pem'), authority.certificate);
  for (const directory of ['secret', 'asked', 'hidden', 'logged', 'fixed', 'late', 'tree/inner'])
    sandbox.write(`${directory}/f`, 'x\n');
  for (const directory of ['secret', 'logged'])
    writeFileSync(Buffer.concat([Buffer.from(`${sandbox.project}/${directory}/odd`), Buffer.of(0xff)]), 'x');
  linkSync(join(sandbox.project, 'secret/f'), join(sandbox.project, 'other-name'));
  sandbox.write('connect.py', CONNECT);
  sandbox.write('Makefile', 'all:\n\t-uname -a\n');
  const script = sandbox.write('script', '#!/usr/bin/perl -w\nprint 1;\n');
  chmodSync(script, 0o755);
  const file = join(sandbox.root, 'many.yaml');
  writeFileSync(file, policy(), { mode: 0o600 });
  const env = { PORT: String(origin.port), SSL_CERT_FILE: join(sandbox.root, 'origins.pem') };
  const run = (script: string, ...options: string[]) =>
    inside(sandbox, ['bash', '-c', script], { options: ['--policy', file, ...options], env });
  await run(SCRIPT + ELSEWHERE);
  await run(SCRIPT, '--simulate');
  // Goes on until both are there: a grant, and a policy that refuses what was allowed.
  const changing = run('until id -u; do sleep 0.3; done; while cat late/f; do sleep 0.3; done');
  while (!recorded().some(({ command, verdict }) => command === 'id -u' && verdict === 'deny')) await sleep(20);
  await sandbox.gatekeeper(['grants', 'add', 'shell_exec', 'id', '-u', '--for', '1h', '--policy', file]);
  while (!recorded().some(({ command }) => command === 'cat late/f')) await sleep(20);
  writeFileSync(file, policy('      - { path: "./late/**", effect: deny }\n'), { mode: 0o600 });
  await changing;
  records = recorded();
}, 120_000);
afterAll(() => origin?.close());

const recorded = (): AuditRecord[] => [...readRecords(sandbox.layout.audit)].flat();
/** In this process, which is sooner ready than another. */
async function replay(options: ReplayOptions, home = sandbox.home) {
  vi.stubEnv('GATEKEEPER_HOME', home);
  const printed = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    const status = await replayLog({ json: true, ...options });
    return { status, ...JSON.parse(printed.mock.calls.join('')) };
  } finally {
    printed.mockRestore();
    vi.unstubAllEnvs();
  }
}
/** The log and its images, with one line of it changed. */
function copyWith(change: (lines: string[]) => void): string {
  const copy = join(sandbox.root, `copy-${readdirSync(sandbox.root).length}`);
  for (const part of ['audit', 'images'])
    cpSync(join(sandbox.layout.state, part), join(copy, part), { recursive: true });
  const file = join(copy, 'audit/000001.jsonl');
  const lines = readFileSync(file, 'utf8').split('\n');
  change(lines);
  writeFileSync(file, lines.join('\n'));
  return join(copy, 'audit');
}

describe('a log with decisions of every kind', () => {
  it('is decided alike again, entry by entry', async () => {
    const found = await replay({});
    expect(found).toMatchObject({ status: 0, agrees: true, differed: 0, differences: [], missingImages: [] });
    const decided = records.filter(({ verdict }) => verdict !== undefined);
    expect(found.entries).toBe(decided.length);
    const kinds = new Set(decided.map(({ action, source, verdict }) => `${action} ${source} ${verdict}`));
    expect([...kinds]).toEqual(expect.arrayContaining(KINDS));
    for (const via of ['http', 'connect', 'transparent', 'dns', 'inspect', undefined])
      expect(
        decided.some((record) => record.action === 'network' && record.via === via),
        via,
      ).toBe(true);
    expect(new Set(decided.map(({ policy: image }) => image)).size).toBeGreaterThan(2);
    expect(decided.some(({ rule }) => rule?.startsWith('grants:'))).toBe(true);
    // What looks at more than the policy is named, and it is little.
    expect(Object.keys(found.notDecided)).toEqual(['denied-identity']);
    expect(Object.keys(found.agreedBy).sort()).toEqual(CHECKED);
  });

  it('is told apart from one in which a verdict is another', async () => {
    const turned = (record: AuditRecord, verdict: string) => {
      const log = copyWith((lines) => {
        const line = lines[record.seq - 1]!;
        lines[record.seq - 1] = line.replace(`"verdict":"${record.verdict}"`, `"verdict":"${verdict}"`);
      });
      return replay({ log });
    };
    const denied = records.find(({ target, verdict }) => target?.endsWith('secret/f') && verdict === 'deny')!;
    const wrong = { seq: denied.seq, recorded: { verdict: 'allow' }, decided: { verdict: 'deny', rule: denied.rule } };
    expect(await turned(denied, 'allow')).toMatchObject({
      status: 1,
      agrees: false,
      differed: 1,
      differences: [wrong],
    });
    const guarded = records.find(({ reason }) => reason === 'denied-identity')!;
    expect(await turned(guarded, 'allow')).toMatchObject({ status: 1, differences: [{ seq: guarded.seq }] });
  });

  it('names the entries whose image is not there, or is not what it was', async () => {
    const [first] = records.filter(({ verdict }) => verdict !== undefined);
    const digest = first!.policy!.replace('sha256:', '');
    const log = copyWith(() => undefined);
    const image = join(log, `../images/${digest}.gkimg`);
    writeFileSync(image, 'something else');
    // This user's own has the same name; it is looked for beside the log first, and then there.
    const told = () => replay({ log }, join(sandbox.root, 'empty'));
    const missing = (why: unknown) => ({
      agrees: false,
      missingImages: [{ image: first!.policy, first: first!.seq, why }],
    });
    expect(await told()).toMatchObject(missing(expect.stringContaining('other bytes')));
    rmSync(image);
    expect(await told()).toMatchObject(missing('it is not there'));
  });

  it('is held against another policy, which gives what that would have changed and no more', async () => {
    const same = join(sandbox.root, 'same.yaml');
    writeFileSync(same, policy('      - { path: "./late/**", effect: deny }\n'));
    const other = join(sandbox.root, 'other.yaml');
    writeFileSync(
      other,
      policy('      - { path: "./late/**", effect: deny }\n').replace(
        '"uname *", effect: deny',
        '"uname *", effect: allow',
      ),
    );
    const run = records.find(({ action }) => action === 'run_create')!.run!;
    expect(await replay({ policy: same, run })).toMatchObject({ status: 0, changes: [] });
    const { status, changes } = await replay({ policy: other, run });
    const { rule } = records.find((one) => one.command === 'uname -a')!;
    const denied = records.filter((one) => one.run === run && one.rule === rule);
    const count = denied.reduce((total, one) => total + (one.count ?? 1), 0);
    expect({ status, changes }).toMatchObject({
      status: 1,
      changes: [{ action: 'shell_exec', before: { effect: 'deny' }, after: { effect: 'allow' }, count, runs: 1 }],
    });
  });

  it('is decided again in part: from an entry, up to one, and since a time', async () => {
    const [first, second, third] = records.filter(({ verdict }) => verdict !== undefined);
    expect(await replay({ from: second!.seq, to: third!.seq })).toMatchObject({ status: 0, entries: 2 });
    expect(await replay({ to: first!.seq })).toMatchObject({ status: 0, entries: 1 });
    expect(await replay({ since: '2100-01-01' })).toMatchObject({ status: 0, entries: 0 });
    await expect(replay({ run: 'nobody' })).rejects.toMatchObject({ code: 'GK_RUN_NOT_FOUND' });
    const { stdout, status } = await sandbox.gatekeeper(['replay', '--to', `${first!.seq}`]);
    expect({ stdout, status }).toEqual({
      stdout: 'replayed: 1 entry, 1 decision: 1 agree, 0 differ, 0 cannot be decided again\n',
      status: 0,
    });
  });
});

const KINDS = [
  'file_read rule deny',
  'file_read rule allow',
  'file_read silence deny',
  'file_read rule would-deny',
  'file_read silence would-deny',
  'file_read protection deny',
  'file_write rule deny',
  'file_delete rule deny',
  'file_delete protection would-deny',
  'shell_exec rule allow',
  'shell_exec rule deny',
  'shell_exec rule would-deny',
  'shell_exec silence deny',
  'shell_exec protection deny',
  'network rule deny',
  'network default deny',
  'network silence deny',
  'network rule allow',
  'unix_socket protection deny',
];
const CHECKED = ['abstract-socket', 'bind-address', 'loader-program', 'move-loosens'];
