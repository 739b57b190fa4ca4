import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type PolicyWatch, watchPolicyFiles } from '../../../../src/adapters/policy-files/watch.ts';

let base: string;
let watch: PolicyWatch | undefined;
const seen = new Set<string>();
beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'gk-watch-')));
  seen.clear();
});
afterEach(async () => {
  await watch?.close();
  rmSync(base, { recursive: true, force: true });
});

const start = (...names: string[]) => {
  watch = watchPolicyFiles(
    names.map((name) => `${base}/${name}`),
    (changed) => {
      for (const file of changed) seen.add(file.slice(base.length + 1));
    },
  );
};
const until = (...names: string[]) =>
  vi.waitFor(() => expect([...seen].sort()).toEqual(names.sort()), { timeout: 10_000 });
const settled = () => new Promise((resolve) => setTimeout(resolve, 400));

it('looks for what nobody reports once a second while nobody is under a policy', () => {
  const timers = vi.spyOn(globalThis, 'setInterval');
  start('policy.yaml');
  expect(timers.mock.lastCall?.[1]).toBe(50);
  watch?.follow([`${base}/grants.json`], false);
  expect(timers.mock.lastCall?.[1]).toBe(1000);
  watch?.follow([`${base}/policy.yaml`], true);
  expect(timers.mock.lastCall?.[1]).toBe(50);
  timers.mockRestore();
});

/** Of this process, over all its inotify descriptors. */
function inotifyWatches(): number {
  const texts = readdirSync('/proc/self/fdinfo').map((fd) => {
    try {
      return readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1');
    } catch {
      return ''; // closed meanwhile
    }
  });
  return texts.join('\n').match(/^inotify wd/gm)?.length ?? 0;
}

describe('watchPolicyFiles', () => {
  it('sees a file change in place, be replaced, and go', async () => {
    writeFileSync(`${base}/a`, '1');
    start('a');
    await settled();
    writeFileSync(`${base}/a`, '2');
    await until('a');
    seen.clear();
    writeFileSync(`${base}/new`, '3');
    renameSync(`${base}/new`, `${base}/a`);
    await until('a');
    seen.clear();
    rmSync(`${base}/a`);
    await until('a');
  });

  it('sees a file appear whose directory did not exist', async () => {
    start('config/policy.yaml');
    await settled();
    mkdirSync(`${base}/config`);
    writeFileSync(`${base}/config/policy.yaml`, '1');
    await until('config/policy.yaml');
  });

  it('sees a link that is pointed elsewhere, and a change behind it', async () => {
    mkdirSync(`${base}/far`);
    writeFileSync(`${base}/far/one`, '1');
    writeFileSync(`${base}/far/two`, '2');
    symlinkSync('far/one', `${base}/link`);
    start('link');
    await settled();
    writeFileSync(`${base}/far/one`, '1b');
    await until('link');
    seen.clear();
    symlinkSync('far/two', `${base}/next`);
    renameSync(`${base}/next`, `${base}/link`);
    await until('link');
  });

  it('sees a new file in a directory of policies', async () => {
    mkdirSync(`${base}/system`);
    start('system');
    await settled();
    writeFileSync(`${base}/system/site.yaml`, '1');
    await until('system');
  });

  it('does not wait for what a FIFO in the place of a file never says', async () => {
    writeFileSync(`${base}/a`, '1');
    start('a');
    await settled();
    rmSync(`${base}/a`);
    execFileSync('mkfifo', [`${base}/a`]);
    await until('a');
  });

  it('does not read a file that is larger than a policy may be', async () => {
    writeFileSync(`${base}/a`, '1');
    start('a');
    await settled();
    truncateSync(`${base}/a`, 2 ** 40);
    await until('a');
  });

  it('sees a change in a directory that others fill, and keeps nothing of what they make', async () => {
    start('a');
    await settled();
    const before = inotifyWatches();
    for (let count = 0; count < 3000; count++) writeFileSync(`${base}/other${count}`, '');
    await settled();
    expect(inotifyWatches() - before).toBeLessThan(10);
    writeFileSync(`${base}/a`, '1');
    await until('a');
  });

  it('says nothing when the content is what it was', async () => {
    writeFileSync(`${base}/a`, '1');
    start('a');
    await settled();
    writeFileSync(`${base}/a`, '1');
    utimesSync(`${base}/a`, 1, 1);
    writeFileSync(`${base}/other`, 'x');
    await settled();
    expect([...seen]).toEqual([]);
  });
});
