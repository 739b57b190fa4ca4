import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { canBePreloaded, hookVariables } from '../../../../src/core/contract/hook-variables.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const library = '/s/hooks/0011223344556677/libgk-hook.so';
const script = '/s/hooks/0011223344556677/gatekeeper-hook.cjs';
const older = '/s/hooks/ffffffffffffffff';

describe('hookVariables', () => {
  it.each([
    [undefined, library],
    ['', library],
    ['/a.so', `${library}:/a.so`],
    ['/a.so /b.so:/c.so', `${library}:/a.so /b.so:/c.so`],
    [library, library],
    [`/a.so ${library}:/b.so`, `${library}:/a.so:/b.so`],
    [`${older}/libgk-hook.so:/a.so`, `${library}:/a.so`],
    ['/elsewhere/libgk-hook.so', `${library}:/elsewhere/libgk-hook.so`],
  ])('LD_PRELOAD %s becomes %s', (LD_PRELOAD, wanted) => {
    expect(hookVariables({ library }, { LD_PRELOAD })).toMatchObject({ LD_PRELOAD: wanted });
  });

  it.each([
    [undefined, `--require=${script}`],
    ['--max-old-space-size=4096', `--require=${script} --max-old-space-size=4096`],
    ['--require "/a b/c.js"  --inspect', `--require=${script} --require "/a b/c.js"  --inspect`],
    [`--inspect --require=${script}`, `--require=${script} --inspect`],
    [`--require="${older}/gatekeeper-hook.cjs" --title="a b"`, `--require=${script} --title="a b"`],
    ['--title="never closed', `--require=${script} --title="never closed`],
  ])('NODE_OPTIONS %s becomes %s', (NODE_OPTIONS, wanted) => {
    expect(hookVariables({ script }, { NODE_OPTIONS })).toEqual({ NODE_OPTIONS: wanted });
  });

  it.each([
    [undefined, 'verify_asan_link_order=0'],
    ['detect_leaks=0,log_path=/x', 'verify_asan_link_order=0:detect_leaks=0,log_path=/x'],
    ['a=1:verify_asan_link_order=0 b=2', 'verify_asan_link_order=0:a=1:b=2'],
    ['verify_asan_link_order=1', 'verify_asan_link_order=0:verify_asan_link_order=1'],
  ])('ASAN_OPTIONS %s becomes %s', (ASAN_OPTIONS, wanted) => {
    expect(hookVariables({ library }, { ASAN_OPTIONS })).toMatchObject({ ASAN_OPTIONS: wanted });
  });

  it('leaves the variable of a hook that cannot be loaded alone', () => {
    expect(hookVariables({}, { LD_PRELOAD: '/a.so', ASAN_OPTIONS: 'a=1', NODE_OPTIONS: '--inspect' })).toEqual({});
  });

  it.each(['plain', 'a b', 'quote"d', 'back\\slash', 'all "of\\ it'])(
    'Node finds the script in a directory called %s',
    (name) => {
      const path = join(temporaryDirectory(), name, 'hooks/0011223344556677/gatekeeper-hook.cjs');
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, 'console.log("loaded")\n');
      const once = hookVariables({ script: path }, { NODE_OPTIONS: '--no-warnings' }).NODE_OPTIONS!;
      const twice = hookVariables({ script: path }, { NODE_OPTIONS: once }).NODE_OPTIONS!;
      expect(twice).toBe(once);
      const env = { PATH: process.env['PATH'], NODE_OPTIONS: once };
      const ran = execFileSync(process.execPath, ['-p', '1'], { env, encoding: 'utf8' });
      expect(ran).toBe('loaded\n1\n');
    },
  );
});

describe('canBePreloaded', () => {
  it.each([
    ['/home/u/.local/state/x.so', true],
    ['/a b/x.so', false],
    ['/a:b/x.so', false],
    ['/$ORIGIN/x.so', false],
  ])('%s: %s', (path, wanted) => expect(canBePreloaded(path)).toBe(wanted));
});
