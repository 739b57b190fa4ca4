import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { bundle } from '../../scripts/bundle.ts';
import { outside } from '../support/run-inside.ts';
import { GATEKEEPER, useSandbox } from '../support/sandbox.ts';

const sandbox = useSandbox();

it('the files that start are made of the modules that are built', async () => {
  const stale = (await bundle({ write: false })).filter(({ found, made }) => found !== made).map(({ file }) => file);
  expect(stale, 'stale; build them: npm run build:ts').toEqual([]);
});

it('it is the one that an installation starts', () => {
  const { bin } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  expect(GATEKEEPER.endsWith(`/${bin.gatekeeper}`)).toBe(true);
});

it('it starts through a link, as installations make them, and finds what belongs to it', async () => {
  const link = join(sandbox.root, 'gatekeeper');
  symlinkSync(GATEKEEPER, link);
  const run = await outside(sandbox, [link, 'run', '--', 'echo', 'ran'], { env: sandbox.env });
  expect(run).toMatchObject({ status: 0, stdout: 'ran\n' });
  const other = await outside(sandbox, [link, 'version'], { env: sandbox.env });
  expect(other).toMatchObject({ status: 0, stdout: expect.stringMatching(/^gatekeeper \d/) });
});

it.each([
  ['run', ['run', '--policy', './missing.yaml', '--', 'true']],
  ['another verb', ['kill', 'nobody']],
])('an error of %s has its own line and status, and its stack on request', async (_name, args) => {
  const { status, stderr } = await sandbox.gatekeeper(args);
  expect(stderr).toMatch(/^gatekeeper: (?!internal)[^\n]+; [^\n]+\n$/);
  expect(status).not.toBe(0);
  const debug = await sandbox.gatekeeper(args, { env: { GATEKEEPER_DEBUG: '1' } });
  expect(debug.stderr).toMatch(/\n {4}at .*\/dist\/.*:\d+:\d+/);
});
