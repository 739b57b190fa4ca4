import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const from = (path: string): string => new URL(`../../../${path}`, import.meta.url).href;

/** Runs the lines in a process that can start threads from the sources, as the daemon does; `told` says what became of a compilation. */
function inProcess(lines: string): unknown {
  const home = temporaryDirectory();
  const script = `
    import { PolicyCompiler } from ${JSON.stringify(from('src/daemon/policy-compiler.ts'))};
    import { homeLayout } from ${JSON.stringify(from('src/core/contract/home-layout.ts'))};
    const home = ${JSON.stringify(home)}, uid = process.getuid();
    const layout = homeLayout({ passwdHome: home, uid, env: { GATEKEEPER_HOME: home } });
    const good = { argv: ['true'], cwd: home, clientPid: 1, policy: 'strict' };
    const made = (longestMs) => new PolicyCompiler(layout, { passwdHome: home, uid }, longestMs);
    const told = (result) => result.then(({ name }) => name, ({ code, what, files }) => ({ code, what, files }));
    const alive = setInterval(() => undefined, 1000);
    ${lines}
    clearInterval(alive);
  `;
  writeFileSync(join(home, 'script.mjs'), script);
  const args = ['--import', from('test/support/load-typescript.mjs'), join(home, 'script.mjs')];
  const cwd = fileURLToPath(new URL('../../..', import.meta.url));
  return JSON.parse(execFileSync(process.execPath, args, { cwd, encoding: 'utf8' }));
}

describe('the thread that compiles', { timeout: 120_000 }, () => {
  it('answers each order with its own policy or error', () => {
    const lines = `
      const compiler = made();
      const orders = [good, { ...good, policy: 'none' }, { ...good, policy: 'observe' }];
      console.log(JSON.stringify(await Promise.all(orders.map((order) => told(compiler.compile(order, 0))))));
      await compiler.close();`;
    const missing = { code: 'GK_POLICY_NOT_FOUND', what: 'there is no such policy', files: expect.any(Array) };
    expect(inProcess(lines)).toEqual(['strict', missing, 'observe']);
  });

  it('fails what waits for it when it ends, and another takes its place', () => {
    const lines = `
      const compiler = made();
      const bad = told(compiler.compile({ ...good, cwd: null, policy: './x.yaml' }, 0));
      console.log(JSON.stringify([await bad, await told(compiler.compile(good, 0))]));
      await compiler.close();`;
    const lost = { code: 'GK_POLICY_INVALID', what: expect.stringContaining('could not be compiled') };
    expect(inProcess(lines)).toEqual([lost, 'strict']);
  });

  it('lets nobody else pay for a policy that takes its time', () => {
    const costly = Array.from(
      { length: 2000 },
      (_, n) => `{ destination: "*.h${n}.test", effect: deny, paths: ["/**/*${n}*a${'?'.repeat(21)}"] }`,
    );
    const text = `version: 1\nname: costly\npolicies:\n  - action: network\n    rules: [${costly.join(', ')}]\n`;
    const lines = `
      import { writeFileSync } from 'node:fs';
      writeFileSync(home + '/costly.yaml', ${JSON.stringify(text)});
      const compiler = made();
      const order = [];
      const note = (name) => (result) => { order.push(name); return result; };
      const bad = told(compiler.compile({ ...good, policy: './costly.yaml' }, 0)).then(note('costly'));
      const others = [1, 2, 3].map(() => told(compiler.compile(good, 0)).then(note('good')));
      const made3 = await Promise.all(others);
      await compiler.close();
      console.log(JSON.stringify([made3, (await bad).what, order]));`;
    expect(inProcess(lines)).toEqual([
      ['strict', 'strict', 'strict'],
      expect.stringContaining('the daemon stops'),
      ['good', 'good', 'good', 'costly'],
    ]);
  });

  it('is given up when it takes too long', () => {
    const lines = `
      const compiler = made(1);
      console.log(JSON.stringify(await told(compiler.compile(good, 0))));
      await compiler.close();`;
    expect(inProcess(lines)).toEqual({ code: 'GK_POLICY_INVALID', what: expect.stringContaining('takes longer than') });
  });
});
