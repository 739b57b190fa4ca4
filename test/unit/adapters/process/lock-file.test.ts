import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { takeLock } from '../../../../src/adapters/process/lock-file.ts';
import { isAlive, processArguments, processIdentity } from '../../../../src/adapters/process/process-identity.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const lockPath = () => join(temporaryDirectory(), 'lock');
const me = processIdentity(process.pid)!;

function held(path: string) {
  const lock = takeLock(path);
  if (!('release' in lock)) throw new Error(`held by ${JSON.stringify(lock.heldBy)}`);
  return lock;
}

describe('a lock file', () => {
  test('is held by one', () => {
    const path = lockPath();
    const lock = held(path);
    expect(takeLock(path)).toEqual({ heldBy: me });
    lock.release();
    held(path).release();
    expect(existsSync(path)).toBe(false);
  });

  test('that was removed is taken again, and is lost to whoever took it first', () => {
    const path = lockPath();
    const lock = held(path);
    expect(lock.isHeld()).toBe(true);
    rmSync(path);
    expect(lock.isHeld()).toBe(true);
    expect(takeLock(path)).toEqual({ heldBy: me });
    rmSync(path);
    const other = held(path);
    expect(lock.isHeld()).toBe(false);
    lock.release();
    expect(other.isHeld()).toBe(true);
    other.release();
    expect(existsSync(path)).toBe(false);
  });

  test.each<[string, () => string]>([
    ['its holder is gone', () => JSON.stringify({ ...me, pid: spawnSync('true').pid })],
    ['its holder’s number is somebody else’s now', () => JSON.stringify({ ...me, startTime: '1' })],
    ['its holder lived before the machine started', () => JSON.stringify({ ...me, boot: 'another' })],
    ['it names nobody', () => ''],
    ['it is rubbish', () => '{"pid":"x"}'],
  ])('is taken over when %s', (_name, content) => {
    const path = lockPath();
    writeFileSync(path, content());
    held(path);
    expect(takeLock(path)).toEqual({ heldBy: me });
    expect(readdirSync(join(path, '..'))).toEqual(['lock']);
  });

  test('is taken over although an earlier take-over was cut off', () => {
    const path = lockPath();
    const dead = JSON.stringify({ ...me, startTime: '1' });
    writeFileSync(path, dead);
    held(path).release();
    writeFileSync(path, dead);
    // What a holder that died between its two steps would leave: the claim, itself held by nobody.
    const name =
      'import("node:crypto").then(({createHash})=>process.stdout.write(createHash("sha256").update(process.argv[1]).digest("hex").slice(0,12)))';
    const claim = spawnSync(process.execPath, ['-e', name, dead]).stdout.toString();
    writeFileSync(`${path}.${claim}`, dead);
    held(path);
  });

  test('is held by one when many processes take over a stale one at once', async () => {
    const path = lockPath();
    writeFileSync(path, JSON.stringify({ ...me, startTime: '1' }));
    const module = new URL('../../../../src/adapters/process/lock-file.ts', import.meta.url).href;
    const script = `import { takeLock } from ${JSON.stringify(module)};
      process.stdin.once('data', () => { process.stdout.write('release' in takeLock(${JSON.stringify(path)}) ? '1' : '0'); process.stdin.once('data', () => process.exit()); });
      process.stdout.write('r');`;
    const tsx = new URL('../../../../node_modules/tsx/dist/esm/index.mjs', import.meta.url).href;
    const children = Array.from({ length: 4 }, () =>
      spawn(process.execPath, ['--import', tsx, '--input-type=module', '-e', script], { stdio: 'pipe' }),
    );
    await Promise.all(children.map((child) => once(child.stdout, 'data')));
    for (const child of children) child.stdin.write('go\n');
    const answers = await Promise.all(children.map(async (child) => String((await once(child.stdout, 'data'))[0])));
    for (const child of children) child.stdin.write('end\n');
    expect(answers.filter((answer) => answer === '1')).toHaveLength(1);
  });
});

describe('a process identity', () => {
  test('is that of a live process only', async () => {
    const child = spawn('sleep', ['60']);
    const identity = processIdentity(child.pid!)!;
    expect(isAlive(identity)).toBe(true);
    // Of a program that is only just there, the kernel has none yet.
    await vi.waitFor(() => expect(processArguments(child.pid!)).toEqual(['sleep', '60']));
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(isAlive(identity)).toBe(false);
    expect(processIdentity(child.pid!)).toBeUndefined();
  });
});
