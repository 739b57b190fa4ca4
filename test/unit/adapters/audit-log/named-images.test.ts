import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { NamedImages } from '../../../../src/adapters/audit-log/named-images.ts';
import { segmentPath } from '../../../../src/adapters/audit-log/segments.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const digest = (at: number) => `sha256:${at.toString(16).padStart(64, '0')}`;

test('every image that the log names is found, wherever a read ends', async () => {
  const directory = temporaryDirectory();
  const lines = Array.from({ length: 6000 }, (_, at) => `{"policy":"${digest(at)}"}\n`).join('');
  writeFileSync(segmentPath(directory, 1), lines);
  expect([...(await new NamedImages(directory).read())]).toEqual(Array.from({ length: 6000 }, (_, at) => digest(at)));
});

test('what is written later is seen, and what was in a removed file is not any more', async () => {
  const directory = temporaryDirectory();
  const images = new NamedImages(directory);
  expect(await images.read()).toEqual(new Set());
  writeFileSync(segmentPath(directory, 1), `${digest(1)}\n`);
  writeFileSync(segmentPath(directory, 2), `${digest(2)}\n`);
  expect(await images.read()).toEqual(new Set([digest(1), digest(2)]));
  appendFileSync(segmentPath(directory, 2), `"policyBefore":"${digest(3)}"\n`);
  expect(await images.read()).toEqual(new Set([digest(1), digest(2), digest(3)]));
  rmSync(segmentPath(directory, 1));
  expect(await images.read()).toEqual(new Set([digest(2), digest(3)]));
});
