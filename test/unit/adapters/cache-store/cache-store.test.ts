import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { CacheStore } from '../../../../src/adapters/cache-store/cache-store.ts';
import { removeTree } from '../../../../src/adapters/cache-store/remove-tree.ts';
import { until } from '../../../support/daemon-fixture.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

let root: string;
let said: string[];
let store: CacheStore;
beforeEach(() => {
  root = `${temporaryDirectory()}/caches`;
  said = [];
  store = new CacheStore(root, (line) => said.push(line));
});
const names = () => readdirSync(root).sort();

describe('places for the caches of runs', () => {
  it('are numbered from 1, and free again when the run is over', () => {
    store.keep(2);
    expect([store.take(), store.take()]).toEqual([1, 3]);
    store.release(1);
    expect(store.take()).toBe(1);
  });

  it('are made for the user alone, and hold nothing of an earlier run', async () => {
    const slot = store.take();
    store.prepare(`${root}/run-${slot}`, { empty: true });
    writeFileSync(`${root}/run-${slot}/implant`, 'x');
    store.prepare(`${root}/run-${slot}`, { empty: true });
    expect(readdirSync(`${root}/run-${slot}`)).toEqual([]);
    for (const path of [root, `${root}/run-${slot}`]) expect(statSync(path).mode & 0o777).toBe(0o700);
    await until(() => names().length === 1);
  });

  it('are removed with the run; those of others stay', async () => {
    for (const slot of [store.take(), store.take()]) store.prepare(`${root}/run-${slot}`, { empty: true });
    store.release(1);
    await until(() => names().join() === 'run-2');
    store.release(1); // twice is once
    expect(names()).toEqual(['run-2']);
  });

  it('are not made behind a link, and what it leads to stays', async () => {
    mkdirSync(root, { mode: 0o700 });
    const elsewhere = temporaryDirectory();
    writeFileSync(`${elsewhere}/kept`, '');
    chmodSync(elsewhere, 0o755);
    symlinkSync(elsewhere, `${root}/run-1`);
    store.prepare(`${root}/run-1`, { empty: true });
    expect(statSync(`${root}/run-1`).ino).not.toBe(statSync(elsewhere).ino);
    await until(() => names().join() === 'run-1');
    const workspace = `${root}/workspace-${'0'.repeat(32)}`;
    symlinkSync(elsewhere, workspace);
    store.prepare(workspace, { empty: false });
    expect(lstatSync(workspace).isDirectory()).toBe(true);
    expect([readdirSync(elsewhere), statSync(elsewhere).mode & 0o777]).toEqual([['kept'], 0o755]);
  });

  it('are made whatever an earlier run left in their place', async () => {
    const workspace = `${root}/workspace-${'0'.repeat(32)}`;
    store.prepare(workspace, { empty: false });
    const leave: Array<(path: string) => void> = [
      (path) => symlinkSync('/nonexistent', path),
      (path) => writeFileSync(path, ''),
      (path) => execFileSync('mkfifo', [path]),
      (path) => mkdirSync(path, { mode: 0 }),
    ];
    for (const [number, left] of leave.entries()) {
      left(`${workspace}/${number}`);
      store.prepare(`${workspace}/${number}`, { empty: false });
      expect(lstatSync(`${workspace}/${number}`).mode).toBe(0o040700);
    }
    await until(() => names().join() === `workspace-${'0'.repeat(32)}`);
    expect(said).toEqual([]);
  });

  it('are swept when no run is in them, and those of a workspace after a month without a run', async () => {
    const [used, unused] = ['a', 'b'].map((digit) => `workspace-${digit.repeat(32)}`) as [string, string];
    for (const name of ['run-1', 'run-7', used, unused]) store.prepare(`${root}/${name}`, { empty: false });
    mkdirSync(`${root}/trash-0123`);
    mkdirSync(`${root}/mine`);
    const old = Date.now() / 1000 - 31 * 86_400;
    utimesSync(`${root}/${unused}`, old, old);
    store.keep(1);
    store.sweep(Date.now());
    await until(() => names().join() === ['mine', 'run-1', used].join());
    expect(said).toEqual([]);
  });
});

describe('removing a tree', () => {
  it('follows no link and minds no mode', async () => {
    const outside = temporaryDirectory();
    writeFileSync(`${outside}/kept`, '');
    mkdirSync(`${root}/a/b`, { recursive: true });
    writeFileSync(`${root}/a/b/file`, '');
    symlinkSync(outside, `${root}/a/link`);
    symlinkSync('/nonexistent', `${root}/a/dangling`);
    for (const path of ['a/b', 'a', '']) chmodSync(`${root}/${path}`, 0);
    await removeTree(root);
    expect([existsSync(root), existsSync(`${outside}/kept`)]).toEqual([false, true]);
  });

  it('takes a link in its own place for what it is', async () => {
    const outside = temporaryDirectory();
    writeFileSync(`${outside}/kept`, '');
    chmodSync(outside, 0o750);
    mkdirSync(root);
    symlinkSync(outside, `${root}/tree`);
    await removeTree(`${root}/tree`);
    expect([readdirSync(root), readdirSync(outside), statSync(outside).mode & 0o777]).toEqual([[], ['kept'], 0o750]);
  });

  it('does not follow who swaps directories for links meanwhile', async () => {
    const outside = temporaryDirectory();
    for (let number = 0; number < 100; number++) writeFileSync(`${outside}/kept-${number}`, '');
    mkdirSync(root);
    symlinkSync(outside, `${root}/link`);
    // renameat2(…, RENAME_EXCHANGE) as fast as it goes.
    const swap = String.raw`import ctypes, sys
libc = ctypes.CDLL(None)
root = sys.argv[1].encode()
while True:
    for d in range(20):
        libc.renameat2(-100, root + b'/tree/%d/inner' % d, -100, root + b'/tree/%d/link' % d, 2)`;
    const swapper = spawn('python3', ['-c', swap, root], { stdio: 'ignore' });
    try {
      for (let round = 0; round < 10; round++) {
        for (let d = 0; d < 20; d++) {
          mkdirSync(`${root}/tree/${d}/inner/file`, { recursive: true });
          symlinkSync(outside, `${root}/tree/${d}/link`);
        }
        // What changes under its hands may stop it; then the next try goes on.
        while (existsSync(`${root}/tree`)) await removeTree(`${root}/tree`).catch(() => undefined);
        expect(readdirSync(outside)).toHaveLength(100);
      }
    } finally {
      swapper.kill('SIGKILL');
    }
  });

  it('minds neither names that are not UTF-8 nor depth that no path can say', async () => {
    mkdirSync(root);
    const script = String.raw`cd "$0" && touch $'odd\xff' && for i in $(seq 60); do mkdir ${'d'.repeat(200)} && cd ${'d'.repeat(200)}; done; touch end`;
    execFileSync('bash', ['-c', script, root]);
    const before = readdirSync(dirname(root));
    await removeTree(root);
    expect(readdirSync(dirname(root))).toEqual(before.filter((name) => name !== 'caches'));
  });
});
