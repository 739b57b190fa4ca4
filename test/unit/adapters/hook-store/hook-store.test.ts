import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { type HookSources, HookStore } from '../../../../src/adapters/hook-store/hook-store.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

let home: string;
let root: string;
let sources: HookSources;
let script: string;
let store: HookStore;

beforeEach(() => {
  home = temporaryDirectory();
  root = join(home, 'hooks');
  sources = { library: join(home, 'build/libgk-hook.so'), scripts: join(home, 'scripts') };
  script = join(sources.scripts, 'gatekeeper-hook.cjs');
  for (const directory of [join(home, 'build'), sources.scripts]) mkdirSync(directory);
  writeFileSync(sources.library, 'the library');
  writeFileSync(script, 'the script');
  writeFileSync(join(sources.scripts, 'companion.cjs'), 'the companion');
  writeFileSync(join(sources.scripts, 'module.js'), 'what it was made of');
  store = new HookStore(root, sources);
});

const modeOf = (path: string): string => (lstatSync(path).mode & 0o7777).toString(8);

describe('provide', () => {
  it('puts copies that nobody writes into a directory called for their content', () => {
    const { name, directory, hooks, problem } = store.provide();
    expect(problem).toBeUndefined();
    expect(name).toMatch(/^[0-9a-f]{16}$/);
    expect(directory).toBe(join(root, name!));
    expect(hooks).toEqual({ library: `${directory}/libgk-hook.so`, script: `${directory}/gatekeeper-hook.cjs` });
    expect([readFileSync(hooks.library!, 'utf8'), readFileSync(hooks.script!, 'utf8')]).toEqual([
      'the library',
      'the script',
    ]);
    expect([root, directory!, hooks.library!, hooks.script!].map(modeOf)).toEqual(['700', '700', '500', '400']);
    expect(readdirSync(directory!).sort()).toEqual(['companion.cjs', 'gatekeeper-hook.cjs', 'libgk-hook.so']);
  });

  it('leaves whole copies alone', () => {
    const before = store.provide();
    const { ino } = statSync(before.hooks.library!);
    expect(store.provide()).toEqual(before);
    expect(new HookStore(root, sources).provide()).toEqual(before);
    expect(statSync(before.hooks.library!).ino).toBe(ino);
  });

  it('gives an installation that has changed a directory of its own, and leaves the old one', () => {
    const before = store.provide();
    writeFileSync(script, 'the next script');
    const after = store.provide();
    expect(after.name).not.toBe(before.name);
    expect(readFileSync(after.hooks.script!, 'utf8')).toBe('the next script');
    expect(readFileSync(before.hooks.script!, 'utf8')).toBe('the script');
  });

  const damage: [string, (directory: string) => void][] = [
    ['was written to', (at) => rewrite(`${at}/libgk-hook.so`, 'the libraru')],
    ['was written to and has its old times', (at) => rewriteUnseen(`${at}/libgk-hook.so`, 'the libraru')],
    ['is gone', (at) => rmSync(`${at}/gatekeeper-hook.cjs`)],
    ['has lost its companion', (at) => rmSync(`${at}/companion.cjs`)],
    ['is empty', (at) => rewrite(`${at}/gatekeeper-hook.cjs`, '')],
    ['may be written by others', (at) => chmodSync(`${at}/libgk-hook.so`, 0o522)],
    ['has another name', (at) => linkSync(`${at}/libgk-hook.so`, join(home, 'another'))],
    ['is a link', (at) => replaceBy(`${at}/libgk-hook.so`, (path) => symlinkSync(sources.library, path))],
    [
      'is a directory',
      (at) => replaceBy(`${at}/libgk-hook.so`, (path) => mkdirSync(join(path, 'x'), { recursive: true })),
    ],
    ['lies in a directory that may be written', (at) => chmodSync(at, 0o700)],
    ['lies behind a link', (at) => replaceBy(at, (path) => symlinkSync(home, path))],
    ['lies in what is a file now', (at) => replaceBy(at, (path) => writeFileSync(path, ''))],
  ];

  it.each(damage)('replaces a copy that %s', (_what, spoil) => {
    const before = store.provide();
    chmodSync(before.directory!, 0o700);
    spoil(before.directory!);
    expect(store.provide()).toEqual(before);
    expect(readFileSync(before.hooks.library!, 'utf8')).toBe('the library');
    expect(readFileSync(before.hooks.script!, 'utf8')).toBe('the script');
    expect([before.directory!, before.hooks.library!, before.hooks.script!].map(modeOf)).toEqual(['700', '500', '400']);
    expect(lstatSync(before.hooks.library!).nlink).toBe(1);
    expect(readdirSync(before.directory!)).toHaveLength(3);
    expect(readFileSync(sources.library, 'utf8')).toBe('the library');
  });

  it('does without what the installation lacks, and says so', () => {
    rmSync(script);
    const { hooks, problem } = store.provide();
    expect(Object.keys(hooks)).toEqual(['library']);
    expect(problem).toMatch(/^hooks are left out, .*: [^;]*\/gatekeeper-hook.cjs is missing; build it: npm run build$/);
    rmSync(sources.library);
    expect(store.provide()).toMatchObject({ hooks: {}, problem: expect.stringContaining('libgk-hook.so is missing') });
  });

  it('does without all of them where they cannot be put, and says so', () => {
    writeFileSync(root, '');
    const { hooks, directory, problem } = store.provide();
    expect([hooks, directory]).toEqual([{}, undefined]);
    expect(problem).toContain(`they cannot be put into ${root}/`);
  });

  it.each(['a b', 'a:b', '$LIB'])('does without a library whose path holds %j', (name) => {
    const { hooks, problem } = new HookStore(join(home, name), sources).provide();
    expect(Object.keys(hooks)).toEqual(['script']);
    expect(problem).toContain('which LD_PRELOAD cannot hold');
  });
});

describe('a look at the files', () => {
  it('finds nothing wrong with what was just put there, nor where there is nothing', () => {
    expect([store.unsafeSources(), store.harmed()]).toEqual([[], []]);
    store.provide();
    expect([store.unsafeSources(), store.harmed()]).toEqual([[], []]);
  });

  it('finds what the installation lacks, and what others may change', () => {
    rmSync(script);
    chmodSync(sources.library, 0o666);
    expect(store.unsafeSources()).toEqual([sources.library, script]);
  });

  it('finds copies that are not what their directory is called for, of earlier installations too', () => {
    const earlier = store.provide();
    writeFileSync(sources.library, 'the next library');
    const current = store.provide();
    rewrite(earlier.hooks.library!, 'the libraru');
    expect(store.harmed()).toEqual([earlier.name]);
    chmodSync(current.directory!, 0o700);
    rmSync(current.hooks.script!);
    expect(store.harmed().sort()).toEqual([earlier.name!, current.name!].sort());
    expect(store.provide().name).toBe(current.name);
    expect(store.harmed()).toEqual([earlier.name]);
  });
});

describe('sweep', () => {
  it('removes what no run uses, but for what the next one gets', () => {
    const old = store.provide();
    writeFileSync(sources.library, 'the second library');
    const used = store.provide();
    writeFileSync(sources.library, 'the third library');
    const current = store.provide();
    writeFileSync(join(root, 'left over'), '');
    store.sweep(new Set([used.name!]));
    expect(readdirSync(root).sort()).toEqual([used.name!, current.name!].sort());
    expect(existsSync(old.directory!)).toBe(false);
  });

  it('has nothing to do before there are any', () => {
    store.sweep(new Set());
    expect(existsSync(root)).toBe(false);
  });
});

function rewrite(path: string, content: string): void {
  chmodSync(path, 0o600);
  writeFileSync(path, content);
}

/** Everything but the change time, which is the kernel's, as before. */
function rewriteUnseen(path: string, content: string): void {
  const { atime, mtime, mode } = statSync(path);
  rewrite(path, content);
  chmodSync(path, mode);
  utimesSync(path, atime, mtime);
}

function replaceBy(path: string, put: (path: string) => void): void {
  rmSync(path, { recursive: true });
  put(path);
}
