import { chmodSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Hooks } from '../support/hooks.ts';
import { NODES } from '../support/node-versions.ts';
import { denials, type InsideOptions, inside } from '../support/run-inside.ts';
import { useSandbox } from '../support/sandbox.ts';
import { closed, listening } from './egress-rig.ts';

const sandbox = useSandbox();
const POLICY = `version: 1
name: mine
extends: [default]
policies:
  - action: file_read
    rules: [{ path: "./kept/**", effect: deny, reason: "kept from everybody" }]
  - action: file_write
    rules: [{ path: "./kept/**", effect: deny, reason: "kept as it is" }]
  - action: file_delete
    rules: [{ path: "./kept/**", effect: deny, reason: "kept where it is" }]
  - action: shell_exec
    rules:
      - { command: "*", effect: allow }
      - { command: "id *", effect: deny, reason: "nobody's business" }
  - action: network
    rules: [{ destination: "bad.test", effect: deny, reason: "it leaked once" }]
`;

/** Runs a program of the project, and gives what it printed as JSON, line by line. */
async function program(
  node: string,
  text: string,
  { name = 'program.mjs', ...options }: InsideOptions & { name?: string } = {},
) {
  sandbox.write('kept/secret', 'secret');
  sandbox.write(name, text);
  const run = await inside(sandbox, [node, name], { policy: POLICY, hooks: 'on', ...options });
  expect([run.status, run.stderr]).toEqual([0, expect.any(String)]);
  const said = run.stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  return { ...run, said };
}

/** Every way in which a call can fail, with what is the error's own, and what it says on request. */
const CALLS = `
import fs, { readFileSync, readFile, createReadStream } from 'node:fs';
import { readFile as promised, open, rename } from 'node:fs/promises';
import { spawn, spawnSync, execFile, execFileSync } from 'node:child_process';
import net from 'node:net';
import { lookup } from 'node:dns/promises';
const say = (name, error) => {
  const { code, errno, syscall, path, dest, address, message } = error;
  const own = { name: error.name, code, errno, syscall, path, dest, address, message, keys: Object.keys(error) };
  console.log(JSON.stringify([name, own, error.gatekeeper ?? null, error instanceof Error]));
};
const attempt = async (name, call) => {
  try { await call(); say(name, new Error('it did not fail')); } catch (error) { say(name, error); }
};
const failing = (emitter) => new Promise((done, fail) => emitter.on('error', fail).on('close', done));
const calling = (call) => new Promise((done, fail) => call((error) => (error ? fail(error) : done())));
const PORT = process.argv[2];
await attempt('readFileSync', () => readFileSync('kept/secret'));
await attempt('readFile', () => calling((done) => readFile('kept/secret', done)));
await attempt('promises.readFile', () => promised('kept/secret'));
await attempt('open', () => open('kept/secret'));
await attempt('createReadStream', () => failing(createReadStream('kept/secret')));
await attempt('createWriteStream', () => failing(fs.createWriteStream('kept/new')));
await attempt('writeFileSync', () => fs.writeFileSync('kept/new', ''));
await attempt('mkdirSync', () => fs.mkdirSync('kept/new'));
await attempt('readdirSync', () => fs.readdirSync('kept'));
await attempt('unlinkSync', () => fs.unlinkSync('kept/secret'));
await attempt('rename', () => rename('kept/secret', 'secret'));
await attempt('copyFileSync', () => fs.copyFileSync('kept/secret', 'copy'));
await attempt('spawn', () => failing(spawn('id', ['-u'])));
await attempt('spawnSync', () => { throw spawnSync('id', ['-u']).error; });
await attempt('execFile', () => calling((done) => execFile('id', ['-u'], done)));
await attempt('execFileSync', () => execFileSync('id', ['-u']));
await attempt('connect', () => failing(net.connect(PORT, '127.0.0.1')));
await attempt('lookup', () => lookup('bad.test'));
await attempt('fetch', () => fetch('https://bad.test/'));
`;

const EXPLAINED: Readonly<Record<string, string>> = {
  readFileSync: 'file_read kept/secret kept from everybody',
  readFile: 'file_read kept/secret kept from everybody',
  'promises.readFile': 'file_read kept/secret kept from everybody',
  open: 'file_read kept/secret kept from everybody',
  createReadStream: 'file_read kept/secret kept from everybody',
  writeFileSync: 'file_write kept/new kept as it is',
  mkdirSync: 'file_write kept/new kept as it is',
  readdirSync: 'file_read kept kept from everybody',
  unlinkSync: 'file_delete kept/secret kept where it is',
  rename: 'file_delete kept/secret kept where it is',
  copyFileSync: 'file_read kept/secret kept from everybody',
  spawn: "shell_exec id -u nobody's business",
  spawnSync: "shell_exec id -u nobody's business",
  execFile: "shell_exec id -u nobody's business",
  execFileSync: "shell_exec id -u nobody's business",
  lookup: 'network bad.test:443 it leaked once',
  fetch: 'network bad.test:443 it leaked once',
};

type Said = [name: string, own: { code?: string }, refusal: Record<string, string> | null, isError: boolean];

describe.each(NODES)('errors of %s', (node) => {
  it('say which rule refused the call, and are otherwise what they are without a hook', async () => {
    const server = createServer();
    const port = await listening(server);
    const call = async (hooks: Hooks) => {
      sandbox.write('kept/secret', 'secret');
      sandbox.write('calls.mjs', CALLS);
      const run = await inside(sandbox, [node, 'calls.mjs', String(port)], { policy: POLICY, hooks });
      expect([run.status, run.stderr]).toEqual([0, expect.any(String)]);
      return {
        ...run,
        said: run.stdout
          .split('\n')
          .filter(Boolean)
          .map((line) => JSON.parse(line) as Said),
      };
    };
    const [hooked, plain] = [await call('on'), await call('off')];
    await closed(server);
    const withoutRefusal = ({ said }: { said: Said[] }) => said.map(([name, own, , ...rest]) => [name, own, ...rest]);
    const ofNode = (entry: unknown[]) => entry[0] !== 'fetch';
    expect(withoutRefusal(hooked).filter(ofNode)).toEqual(withoutRefusal(plain).filter(ofNode));
    expect(plain.said.filter(([, , refusal]) => refusal !== null)).toEqual([]);
    const told = Object.fromEntries(
      hooked.said.map(([name, , refusal]) => [
        name,
        refusal && `${refusal['action']} ${refusal['target']?.replace(`${sandbox.project}/`, '')} ${refusal['reason']}`,
      ]),
    );
    expect(told).toEqual({
      ...EXPLAINED,
      // An error of a stream does not tell what it was opened for; both are denied.
      createWriteStream: expect.stringMatching(/^file_(read|write) kept\/new /),
      connect: `network 127.0.0.1:${port} no rule allows it`,
    });
    expect(hooked.said[0]?.[2]).toMatchObject({
      rule: expect.stringMatching(/^user:.*\.yaml:6$/),
      verdict: 'deny',
      policy: hooked.receipts.find(({ action }) => action === 'run_create')?.policy,
      ask: expect.stringContaining(`gatekeeper policy explain file_read ${sandbox.project}/kept/secret`),
    });
    // Explaining asks nobody and leaves no trace.
    const refusals = ({ receipts }: typeof hooked): Record<string, number> => {
      const counts: Record<string, number> = {};
      for (const { action, target, count = 1 } of denials(receipts)) {
        if (target?.includes('kept')) counts[`${action} ${target}`] = (counts[`${action} ${target}`] ?? 0) + count;
      }
      return counts;
    };
    expect(refusals(hooked)).toEqual(refusals(plain));
  });

  it('that the system gave, or the program made, say nothing', async () => {
    const closedFile = sandbox.write('closed', '');
    chmodSync(closedFile, 0);
    const { said } = await program(
      node,
      `import fs from 'node:fs';
       const told = (call) => { try { call(); return 'nothing failed'; } catch (error) { return [error.code, error.gatekeeper ?? null]; } };
       console.log(JSON.stringify([
         told(() => fs.readFileSync('closed')),
         told(() => fs.readFileSync('missing')),
         told(() => { throw Object.assign(new Error(), { code: 'EACCES', gatekeeper: 7 }); }),
         told(() => { throw Object.assign(new Error(), { code: 'EACCES', syscall: 'open', path: process.cwd() + '/kept/secret', cause: null }); })[1]?.rule !== undefined,
         Object.keys(Object.assign(new Error(), { gatekeeper: 7 })),
         'gatekeeper' in {}, Error.gatekeeper ?? null, Error.prototype.gatekeeper ?? null,
       ]));`,
    );
    chmodSync(closedFile, 0o600);
    expect(said).toEqual([
      [['EACCES', null], ['ENOENT', null], ['EACCES', 7], true, ['gatekeeper'], false, null, null],
    ]);
  });

  it('say so in workers, children and modules of either kind', async () => {
    sandbox.write(
      'told.cjs',
      `module.exports = () => { try { require('fs').readFileSync('kept/secret'); } catch (error) { return error.gatekeeper?.reason ?? null; } };`,
    );
    sandbox.write('child.cjs', `process.send(require('./told.cjs')());`);
    sandbox.write('worker.cjs', `require('worker_threads').parentPort.postMessage(require('./told.cjs')());`);
    const { said, stderr } = await program(
      node,
      `import { fork, spawnSync } from 'node:child_process';
       import { createRequire } from 'node:module';
       import { SHARE_ENV, Worker } from 'node:worker_threads';
       const told = createRequire(import.meta.url)('./told.cjs');
       const message = (from) => new Promise((done, fail) => from.once('message', done).once('error', fail));
       const env = { ...process.env };
       delete env.NODE_OPTIONS;
       console.log(JSON.stringify({
         main: told(),
         worker: await message(new Worker('./worker.cjs')),
         bareWorker: await message(new Worker('./worker.cjs', { execArgv: [] })),
         sharing: await message(new Worker('./worker.cjs', { env: SHARE_ENV })),
         fork: await message(fork('./child.cjs')),
         withArguments: await message(fork('./child.cjs', { execArgv: ['--no-deprecation'] })),
         stripped: await message(fork('./child.cjs', { env, execArgv: [] })),
         empty: String(spawnSync(process.execPath, ['-p', 'require("./told.cjs")()'], { env: {} }).stdout).trim(),
       }));`,
      { name: 'family.mjs' },
    );
    const reason = 'kept from everybody';
    expect(said).toEqual([
      {
        ...{ main: reason, worker: reason, bareWorker: reason, sharing: reason, fork: reason, withArguments: reason },
        // Whoever takes the hook away has no explanations, and the same refusals.
        ...{ stripped: null, empty: 'null' },
      },
    ]);
    // Node 22 says at each start without the hook that its proxy support is new.
    expect(stderr.replaceAll(/^gatekeeper: denied .*\n|^\(node:\d+\) \[UNDICI-EHPA\].*\n\(Use .*\n/gm, '')).toBe('');
  });
});

describe.each(NODES)('%s with the hook', (node) => {
  it('looks like one without', async () => {
    const script = `
      const seen = new Set();
      const look = (name, value, depth) => {
        if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value)) return [];
        seen.add(value);
        const lines = [name + ' ' + typeof value + (typeof value === 'function' ? ' ' + value.name + ' ' + value.length + ' ' + Function.prototype.toString.call(value) : '')];
        if (depth === 0) return lines;
        for (const key of Reflect.ownKeys(value)) {
          const descriptor = Object.getOwnPropertyDescriptor(value, key);
          const { enumerable, configurable, writable } = descriptor;
          lines.push([name, String(key), enumerable, configurable, writable].join(' '));
          if ('value' in descriptor) lines.push(...look(name + '.' + String(key), descriptor.value, depth - 1));
        }
        return lines;
      };
      const modules = ['fs', 'fs/promises', 'child_process', 'dns', 'net', 'diagnostics_channel', 'module', 'worker_threads'];
      const lines = modules.flatMap((name) => look(name, require(name), 2));
      lines.push(...process.eventNames().map(String).sort(), ...Object.keys(process), ...Object.keys(require.cache));
      lines.push(...Reflect.ownKeys(Error), Object.keys(Error.prototype).join(), ...process.execArgv, ...module.paths);
      console.log(JSON.stringify(lines.map(String).filter((line) => !line.includes('Date'))));`;
    // That the file was loaded shows, and on versions whose requests are led, who makes channels.
    const shown = (line: string) => !/\/hooks\/\S+\/gatekeeper-hook\.cjs|^diagnostics_channel\.channel /.test(line);
    const look = async (hooks: Hooks): Promise<string[]> =>
      (await program(node, script, { name: 'look.cjs', hooks })).said[0].filter(shown);
    const [hooked, plain] = [await look('on'), await look('off')];
    expect(hooked.filter((line) => !plain.includes(line))).toEqual([]);
    expect(hooked).toEqual(plain);
  });

  it('prints nothing and loads nothing more', async () => {
    const list =
      'process.moduleLoadList.filter((name) => /http|net|tls|undici|crypto|stream|url|os$/.test(name)).join()';
    const print = async (hooks: Hooks, ...args: string[]) => {
      const { stdout, stderr, status } = await inside(sandbox, [node, ...args], { policy: POLICY, hooks });
      return { stdout, stderr, status };
    };
    sandbox.write('checked.js', 'let checked');
    sandbox.write('one.test.js', `require('node:test')('one', () => {});`);
    for (const args of [
      ['-e', '0'],
      ['-p', list],
      ['--check', 'checked.js'],
      ['-p', 'process.argv.length'],
      ['-i', '-e', '0'],
    ]) {
      expect(await print('on', ...args)).toEqual({ ...(await print('off', ...args)), stderr: '' });
    }
    expect(await print('on', '--test', '--test-reporter=tap', 'one.test.js')).toMatchObject({ status: 0, stderr: '' });
  });

  it('explains once what ends a program that has lost the library, and says nothing when it is to be quiet', async () => {
    sandbox.write('kept/secret', 'secret');
    const dying = ['env', '-u', 'LD_PRELOAD', node, '-e', 'fs.readFileSync("kept/secret")'];
    const told = async (options: InsideOptions) => {
      const { stderr } = await inside(sandbox, dying, { policy: POLICY, ...options });
      return stderr.split('\n').filter((line) => line.startsWith('gatekeeper: denied'));
    };
    expect(await told({ hooks: 'on' })).toEqual([
      expect.stringMatching(
        /^gatekeeper: denied file_read \S+\/kept\/secret: kept from everybody \(user:\S+:6\)\. Ask the user if you need it; they can see: gatekeeper policy explain file_read \S+\/kept\/secret$/,
      ),
    ]);
    expect(await told({ hooks: 'on', options: ['--quiet-hook'] })).toEqual([]);
    expect(await told({ hooks: 'off' })).toEqual([]);
  });
});
