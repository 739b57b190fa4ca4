import { expect, it } from 'vitest';
import { checkRegion } from '../../../../src/core/engine/check-region.ts';
import type { PolicyImage } from '../../../../src/core/engine/image.ts';
import { bytes } from '../../../support/policy.ts';

const check = (paths: readonly string[], flags: readonly number[] = paths.map(() => 0), zero = 0): void => {
  const region = paths.map((path, index) => ({ path: bytes(path), flags: flags[index]!, zero }));
  checkRegion({ region } as unknown as PolicyImage);
};

it('takes canonical hierarchies in order, none beneath another', () => {
  for (const paths of [
    [],
    ['/opt', '/usr'],
    ['/usr', '/usr-local', '/usr.d'],
    ['/usr/..lib/.x'],
    ['/devices', '/proceeds'],
  ])
    expect(() => check(paths)).not.toThrow();
  expect(() => check(['/opt', '/usr'], [1, 1])).not.toThrow();
});

// The supervisor refuses the same: native-hooks/test/image_test.c.
it.each<[string[], number[] | undefined, string]>([
  [['/usr', '/opt'], undefined, 'region is not sorted'],
  [['/usr', '/usr'], undefined, 'region is not sorted'],
  [['/usr', '/usr-x', '/usr/lib'], undefined, 'region entry beneath another'],
  [['/opt', '/usr'], [1, 0], 'region entry with odd flags'],
  [['/opt'], [2], 'region entry with odd flags'],
  ...['/', 'usr', '', '/usr/', '/usr//lib', '/usr/../etc', '/usr/./lib', '/a\0b'].map(
    (path): [string[], undefined, string] => [[path], undefined, 'region entry that is no canonical path'],
  ),
  [['/proc'], undefined, 'region entry where the kernel makes the files'],
  [['/dev/shm'], undefined, 'region entry where the kernel makes the files'],
  [Array.from({ length: 1025 }, (_, n) => `/d${String(n).padStart(4, '0')}`), undefined, 'too many hierarchies'],
])('refuses %j with %j', (paths, flags, why) => {
  expect(() => check(paths, flags)).toThrow(why);
});
