import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Images } from '../../../src/daemon/run-policy.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const MINUTES = 60_000;

test('images that nobody names go, those that were just stored and those that are named stay', () => {
  const directory = temporaryDirectory();
  const open = () =>
    new Images<Uint8Array>(
      directory,
      (bytes) => bytes,
      () => undefined,
    );
  const images = open();
  const [named, unnamed] = ['named', 'unnamed'].map((text) => images.store(Buffer.from(text)));
  const there = () => [named, unnamed].map((digest) => existsSync(images.path(digest!)));
  expect(images.sweep(new Set([named!]), performance.now())).toBe(0); // the receipt that names it may be on its way
  expect(there()).toEqual([true, true]);
  expect(images.sweep(new Set([named!]), performance.now() + 2 * MINUTES)).toBe(1);
  expect(there()).toEqual([true, false]);
  // Another daemon knows nothing of when it was stored.
  expect(open().sweep(new Set(), performance.now())).toBe(1);
  expect(there()).toEqual([false, false]);
});

test('an image that is stored again while the log is read for names stays', () => {
  const images = new Images<Uint8Array>(
    temporaryDirectory(),
    (bytes) => bytes,
    () => undefined,
  );
  const digest = images.store(Buffer.from('again'));
  const since = performance.now() - 1;
  images.sweep(new Set(), since + 2 * MINUTES);
  expect(existsSync(images.path(digest))).toBe(false);
  images.store(Buffer.from('again'));
  expect(images.sweep(new Set(), since)).toBe(0);
  expect(existsSync(images.path(digest))).toBe(true);
});
