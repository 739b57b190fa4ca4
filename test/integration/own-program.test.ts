import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { outside } from '../support/run-inside.ts';
import { GATEKEEPER, useSandbox } from '../support/sandbox.ts';

const sandbox = useSandbox();
const PACKAGE = join(dirname(GATEKEEPER), '../..');
let installed: string;

/** As a development dependency of the project: within what its own runs may change. */
beforeAll(() => {
  installed = join(sandbox.project, 'node_modules/gatekeeper');
  mkdirSync(installed, { recursive: true });
  for (const part of [
    'dist',
    'policies',
    'package.json',
    'native-hooks/build/gk-supervise',
    'native-hooks/build/libgk-hook.so',
  ]) {
    cpSync(join(PACKAGE, part), join(installed, part), { recursive: true });
  }
  symlinkSync(join(PACKAGE, 'node_modules'), join(installed, 'node_modules'));
});

const run = (script: string) =>
  outside(sandbox, [process.execPath, join(installed, 'dist/cli/gatekeeper.cjs'), 'run', '--', 'sh', '-c', script], {
    env: sandbox.env,
  });

it.each([
  ['the command line', 'echo >> node_modules/gatekeeper/dist/cli/gatekeeper.cjs'],
  ['a module of it', 'echo >> node_modules/gatekeeper/dist/cli/other-verbs.js'],
  ['the supervisor', 'rm node_modules/gatekeeper/native-hooks/build/gk-supervise'],
  ['the library of hooks', 'cp /dev/null node_modules/gatekeeper/native-hooks/build/libgk-hook.so'],
  ['a hook of Node', 'rm node_modules/gatekeeper/dist/node-hook/gatekeeper-hook.cjs'],
  ['a preset', 'echo > node_modules/gatekeeper/policies/default.yaml'],
  ['the package around it', 'mv node_modules/gatekeeper node_modules/away'],
  ['the directory of packages', 'mv node_modules away'],
])('a run cannot change %s that lies in its workspace', async (_name, script) => {
  const main = join(installed, 'dist/cli/gatekeeper.cjs');
  const before = readFileSync(main);
  const { status, stderr } = await run(script);
  expect(stderr).toMatch(/Permission denied/);
  expect(status).not.toBe(0);
  expect(readFileSync(main)).toEqual(before);
  expect(existsSync(join(installed, 'native-hooks/build/gk-supervise'))).toBe(true);
});

it('a run is warned when the packages that gatekeeper loads can be changed by it', async () => {
  const { stderr } = await run('echo changed > node_modules/other');
  expect(stderr).toMatch(/^gatekeeper: it is installed within the workspace, /m);
});
