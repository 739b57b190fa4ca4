import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const from = (path: string): string => new URL(`../../../${path}`, import.meta.url).href;

/** Policies whose compilation takes longer than that of three others. */
const COSTLY = Array.from(
  { length: 2000 },
  (_, n) => `{ destination: "*.h${n}.test", effect: deny, paths: ["/**/*${n}*a${'?'.repeat(21)}"] }`,
);

/** What becomes of compilations in a process that can start threads from the sources, as the daemon does. Starting them takes the time, so it is one. */
function inProcess(): Record<string, unknown> {
  const home = temporaryDirectory();
  const text = `version: 1\nname: costly\npolicies:\n  - action: network\n    rules: [${COSTLY.join(', ')}]\n`;
  writeFileSync(join(home, 'costly.yaml'), text);
  const script = `
    import { PolicyCompiler } from ${JSON.stringify(from('src/daemon/policy-compiler.ts'))};
    import { homeLayout } from ${JSON.stringify(from('src/core/contract/home-layout.ts'))};
    const home = ${JSON.stringify(home)}, uid = process.getuid();
    const layout = homeLayout({ passwdHome: home, uid, env: { GATEKEEPER_HOME: home } });
    const good = { argv: ['true'], cwd: home, clientPid: 1, policy: 'strict' };
    const told = (result) => result.then(({ name }) => name, ({ code, what, files }) => ({ code, what, files }));
    const alive = setInterval(() => undefined, 1000);

    const compiler = new PolicyCompiler(layout, { passwdHome: home, uid });
    const orders = [good, { ...good, policy: 'none' }, { ...good, policy: 'observe' }];
    const several = await Promise.all(orders.map((order) => told(compiler.compile(order, 0))));

    const bad = told(compiler.compile({ ...good, cwd: null, policy: './x.yaml' }, 0));
    const afterLoss = [await bad, await told(compiler.compile(good, 0))];

    const order = [];
    const note = (name) => (result) => { order.push(name); return result; };
    const costly = told(compiler.compile({ ...good, policy: './costly.yaml' }, 0)).then(note('costly'));
    const others = await Promise.all([1, 2, 3].map(() => told(compiler.compile(good, 0)).then(note('good'))));
    await compiler.close();
    const besides = [others, (await costly).what, order];

    const hasty = new PolicyCompiler(layout, { passwdHome: home, uid }, 1);
    const tooLong = await told(hasty.compile(good, 0));
    await hasty.close();
    console.log(JSON.stringify({ several, afterLoss, besides, tooLong }));
    clearInterval(alive);
  `;
  writeFileSync(join(home, 'script.mjs'), script);
  const args = ['--import', from('test/support/load-typescript.mjs'), join(home, 'script.mjs')];
  const cwd = fileURLToPath(new URL('../../..', import.meta.url));
  return JSON.parse(execFileSync(process.execPath, args, { cwd, encoding: 'utf8' }));
}

describe('the thread that compiles', () => {
  let seen: Record<string, unknown>;
  beforeAll(() => {
    seen = inProcess();
  }, 120_000);

  it('answers each order with its own policy or error', () => {
    const missing = { code: 'GK_POLICY_NOT_FOUND', what: 'there is no such policy', files: expect.any(Array) };
    expect(seen['several']).toEqual(['strict', missing, 'observe']);
  });

  it('fails what waits for it when it ends, and another takes its place', () => {
    const lost = { code: 'GK_POLICY_INVALID', what: expect.stringContaining('could not be compiled') };
    expect(seen['afterLoss']).toEqual([lost, 'strict']);
  });

  it('lets nobody else pay for a policy that takes its time', () => {
    expect(seen['besides']).toEqual([
      ['strict', 'strict', 'strict'],
      expect.stringContaining('the daemon stops'),
      ['good', 'good', 'good', 'costly'],
    ]);
  });

  it('is given up when it takes too long', () => {
    const given = { code: 'GK_POLICY_INVALID', what: expect.stringContaining('takes longer than') };
    expect(seen['tooLong']).toEqual(given);
  });
});
