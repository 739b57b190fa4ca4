import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { fingerprint, readPublicKey } from '../../src/adapters/keys/public-key.ts';
import { bare } from '../support/bare.ts';
import { useSandbox } from '../support/sandbox.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const sandbox = useSandbox();
let key = '';
let kept = '';
/** The log of that time, without its keys and anchors. */
let copy = '';

beforeAll(async () => {
  sandbox.write('.env', 'TOKEN=x');
  await sandbox.gatekeeper(['run', '--', 'sh', '-c', 'cat .env; true']);
  kept = `${sandbox.root}/kept`;
  writeFileSync(kept, readFileSync(`${sandbox.layout.audit}/checkpoint`));
  await sandbox.gatekeeper(['run', '--', 'true']);
  key = fingerprint(readPublicKey(sandbox.layout.keys)!);
  await sandbox.gatekeeper(['daemon', 'stop']);
  copy = `${temporaryDirectory()}/log`;
  cpSync(sandbox.layout.audit, copy, { recursive: true });
});

const verify = (...args: string[]) => sandbox.gatekeeper(['audit', 'verify', ...args]);
const file = (directory: string) => `${directory}/000001.jsonl`;

describe('audit verify', () => {
  test('compares with what its anchors hold, and with a checkpoint that a person kept', async () => {
    const { status, stdout, stderr } = await verify('--since-checkpoint', kept);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^verified: \d+ entries \(1 to \d+\) in 1 file, \d+ signatures\n/);
    expect(stdout).toMatch(/kept by +file .*audit\.anchor: [1-9]\d* compared/);
    expect(stdout).toContain(`kept by     ${kept}: 1 compared`);
    const [, expected] = /checkpoint +(\S+) of/.exec(stdout) ?? [];
    expect((await verify('--expect', expected!)).status).toBe(0);
    expect((await verify('--expect', expected!.replace(/^\d+/, '3'))).stdout).toContain('forked');
  });

  test('says what the first bad entry is, where it stands, what it was about and what that looks like', async () => {
    const lines = readFileSync(file(copy), 'utf8').split('\n');
    const at = lines.findIndex((line) => line.includes('/.env"'));
    const changed = `${temporaryDirectory()}/log`;
    cpSync(copy, changed, { recursive: true });
    writeFileSync(file(changed), lines.with(at, lines[at]!.replace('/.env"', '/.enw"')).join('\n'));
    const { status, stdout } = await verify('--log', changed);
    expect(status).toBe(1);
    expect(stdout).toContain(`NOT verified: the first bad entry is ${at + 1}\n`);
    expect(stdout).toContain('wrong-hash: the entry was changed');
    expect(stdout).toContain(`${file(changed)}, line ${at + 1}\n`);
    expect(stdout).toMatch(/about .*deny.*\/\.enw/);
    expect(stdout).toContain('the entry was edited and nothing was computed anew');
    const told = JSON.parse((await verify('--log', changed, '--json')).stdout);
    expect(told).toMatchObject({
      ok: false,
      problems: [{ kind: 'wrong-hash', seq: at + 1, file: 1, line: at + 1 }, { kind: 'checkpoint-differs' }],
      firstBadRecord: { seq: at + 1, verdict: 'deny' },
    });
  });

  test('finds an older copy that was put back with its checkpoint, by what the anchors hold', async () => {
    const lines = readFileSync(file(copy), 'utf8').split('\n');
    const size = Number(readFileSync(kept, 'utf8').split('\n')[1]);
    writeFileSync(file(sandbox.layout.audit), `${lines.slice(0, size).join('\n')}\n`);
    writeFileSync(`${sandbox.layout.audit}/checkpoint`, readFileSync(kept));
    expect((await verify('--no-anchors')).status).toBe(0);
    const { status, stdout } = await verify();
    expect(status).toBe(1);
    expect(stdout).toContain(`the first bad entry is ${size + 1}\n  what        rolled-back`);
    for (const name of readdirSync(copy)) cpSync(`${copy}/${name}`, `${sandbox.layout.audit}/${name}`);
    expect((await verify()).status).toBe(0);
  });

  test('believes no key that lies with the log', async () => {
    const stranger = { GATEKEEPER_HOME: `${sandbox.root}/stranger` };
    const asStranger = (...args: string[]) =>
      sandbox.gatekeeper(['audit', 'verify', '--log', copy, ...args], { env: stranger });
    expect(await asStranger()).toMatchObject({ status: 1, stderr: expect.stringContaining('no key is trusted here') });
    expect((await asStranger('--fingerprint', key)).status).toBe(0);
    const other = `SHA256:${'A'.repeat(43)}`;
    expect(await asStranger('--fingerprint', other)).toMatchObject({
      status: 1,
      stdout: expect.stringContaining('key-unknown'),
    });
  });

  test('says in one line what it cannot do', async () => {
    const rows: [string[], number, string][] = [
      [['--fingerprint', 'x'], 2, 'is not a fingerprint'],
      [['--expect', 'x'], 2, 'is not a size and a root'],
      [['--since-checkpoint', '/dev/null'], 2, 'cannot be read'],
      [['--log', '/nonexistent'], 1, 'there is no audit log'],
      [['--log', '/dev/null'], 1, 'there is no audit log'],
      [['--public-key', '/nonexistent'], 1, 'the public key cannot be read'],
    ];
    const outcomes = await Promise.all(rows.map(([args]) => verify(...args)));
    for (const [at, [args, status, text]] of rows.entries()) {
      expect(outcomes[at], args.join(' ')).toMatchObject({ status, stdout: '' });
      expect(outcomes[at]!.stderr).toMatch(/^gatekeeper: .*\n$/);
      expect(outcomes[at]!.stderr).toContain(text);
    }
  });
});

describe('proofs', () => {
  test('are written and checked with the public key alone', async () => {
    const proof = `${sandbox.root}/proof`;
    expect((await sandbox.gatekeeper(['audit', 'prove', '3', '-o', proof])).status).toBe(0);
    expect((await sandbox.gatekeeper(['audit', 'prove', '3', '-o', proof])).stderr).toContain('it exists already');
    const check = (...args: string[]) =>
      sandbox.gatekeeper(['audit', 'check-proof', ...args, '--fingerprint', key], {
        env: { GATEKEEPER_HOME: `${sandbox.root}/stranger` },
      });
    expect(await check(proof)).toMatchObject({ status: 0, stdout: expect.stringContaining('this is entry 3 of the') });
    writeFileSync(proof, readFileSync(proof, 'utf8').replace('\nindex 2\n', '\nindex 1\n'));
    expect(await check(proof)).toMatchObject({ status: 1, stdout: expect.stringContaining('NOT proved') });
    const grown = await sandbox.gatekeeper(['audit', 'prove', '--from', kept]);
    writeFileSync(proof, grown.stdout);
    expect(await check(proof)).toMatchObject({ status: 0, stdout: expect.stringContaining('begin with the') });
    writeFileSync(proof, 'nonsense');
    expect(await check(proof)).toMatchObject({ status: 1, stderr: expect.stringContaining('the file is not a proof') });
  });
});

describe('a bundle', () => {
  test('verifies anywhere, and says how', async () => {
    const bundle = `${sandbox.root}/bundle`;
    const made = await sandbox.gatekeeper(['audit', 'export', '--bundle', bundle]);
    expect(made).toMatchObject({ status: 0, stderr: expect.stringContaining(key) });
    expect(readdirSync(`${bundle}/images`)).toHaveLength(1);
    expect(readFileSync(`${bundle}/README.md`, 'utf8')).toContain('verify_log.py . --fingerprint');
    expect((await verify('--log', bundle)).stdout).toMatch(/kept by +anchors\/1\.notes: [1-9]\d* compared/);
    expect((await sandbox.gatekeeper(['audit', 'export', '--bundle', bundle])).status).toBe(1);
    rmSync(file(bundle));
    expect((await verify('--log', bundle)).stdout).toContain('tail-cut');
  });
});

describe('the built verifier', () => {
  test('checks files in threads and comes to the same as without them, down to the first bad entry', async () => {
    const { status, stdout, stderr } = await bare(
      [
        process.execPath,
        '--import',
        fileURLToPath(new URL('../support/load-typescript.mjs', import.meta.url)),
        fileURLToPath(new URL('../support/verify-in-threads.ts', import.meta.url)),
        temporaryDirectory(),
      ],
      { cwd: sandbox.root },
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const { sound, bad, taken } = JSON.parse(stdout);
    expect(sound[0]).toMatchObject({ ok: true, entries: expect.any(Number) });
    expect(sound[1]).toEqual(sound[0]);
    expect(bad[0].problems[0]).toMatchObject({ kind: 'wrong-hash', file: 3 });
    expect(bad[1]).toEqual(bad[0]);
    // All files of the sound log, none of which was read again by who asked.
    expect(taken).toBeGreaterThan(3);
  });
});
