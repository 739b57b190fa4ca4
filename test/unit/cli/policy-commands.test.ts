import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runProgram } from '../../../src/cli/program.ts';
import { GatekeeperError } from '../../../src/core/errors/gatekeeper-error.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const before = process.env['GATEKEEPER_HOME'];
let home = '';
beforeEach(() => {
  home = temporaryDirectory();
  process.env['GATEKEEPER_HOME'] = join(home, 'gatekeeper');
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => {
  if (before === undefined) delete process.env['GATEKEEPER_HOME'];
  else process.env['GATEKEEPER_HOME'] = before;
});

async function policy(...args: string[]): Promise<{ status: number; output: string; error?: GatekeeperError }> {
  const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    const status = await runProgram(['policy', ...args]);
    return { status, output: written.mock.calls.map(([text]) => text).join('') };
  } catch (error) {
    if (!(error instanceof GatekeeperError)) throw error;
    return { status: error.exitCode, output: written.mock.calls.map(([text]) => text).join(''), error };
  } finally {
    written.mockRestore();
  }
}

function write(name: string, text: string): string {
  const path = join(home, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

const rules = (text: string, name = 'p.yaml'): string =>
  write(name, `version: 1\nname: p\npolicies:\n  - { action: file_read, defaultEffect: deny, rules: [${text}] }\n`);

describe('policy explain', () => {
  it('names a request over plain HTTP as it was asked, and the destination to allow as a rule names it', async () => {
    const { status, output } = await policy('explain', 'network', 'GET', 'http://docs.example/a');
    expect(status).toBe(1);
    expect(output).toContain('network GET http://docs.example/a\n');
    expect(output).toContain('to allow gatekeeper net allow docs.example:80\n');
  });
});

/** A policy with these rules of network, one a line. */
const network = (lines: string[], name = 'n.yaml'): string =>
  write(
    name,
    `version: 1\nname: n\npolicies:\n  - action: network\n    rules:\n${lines.map((line) => `      - { ${line} }\n`).join('')}`,
  );
const INSPECTED =
  'destination: "api.example:443", effect: allow, inspect: true, methods: [GET], inject: [{ header: authorization, value: "Bearer {secret}", secret: "env:API_TOKEN" }]';

describe('policies that have requests looked into', () => {
  const explain = (file: string, ...target: string[]) => policy('explain', '--policy', file, 'network', ...target);

  it('are explained: some requests pass, which ones, and with which secret by name', async () => {
    const file = network([INSPECTED, 'destination: "raw.example:443", effect: allow, sni: any']);
    const some = await explain(file, 'api.example:443');
    expect(some.status).toBe(0);
    expect(some.output).toMatch(/\ninspect +TLS is opened, .*\nsni +required: .*\nask for +one request, /);
    expect(some.output).toContain('injects  authorization (secret of API_TOKEN)');
    expect((await explain(file, 'GET', 'https://api.example/v1')).status).toBe(0);
    const refused = await explain(file, 'POST', 'https://api.example/v1');
    expect([refused.status, refused.output]).toEqual([
      1,
      expect.stringContaining('to allow widen methods or paths of'),
    ]);
    expect((await explain(file, 'raw.example:443')).output).toContain('sni      any: nobody looks\n');
    const unseen = await explain(file, 'POST', 'https://raw.example/');
    expect([unseen.status, unseen.output]).toEqual([0, expect.stringContaining('not seen method and path: TLS hides')]);
    const json = JSON.parse((await explain(file, '--json', 'api.example:443')).output);
    expect(json.connection).toEqual({
      inspect: true,
      sni: 'required',
      someRequests: true,
      injected: [{ header: 'authorization', secret: 'API_TOKEN' }],
    });
  });

  it('are shown, and held against cases of single requests', async () => {
    const before = network(['destination: "api.example:443", effect: allow'], 'before.yaml');
    const after = network([INSPECTED], 'after.yaml');
    expect((await policy('show', '--policy', after)).output).toContain(
      'allow  api.example:443  [inspect, injects authorization (secret of API_TOKEN)]\n',
    );
    const [shown] = JSON.parse((await policy('show', '--json', '--policy', after)).output).rules.slice(-1);
    expect([shown.methods, shown.terms.injections[0].secret]).toEqual([['GET'], 'API_TOKEN']);
    const cases = write(
      'after.cases.yaml',
      `cases:
  - { action: network, destination: "https://api.example/v1", method: GET, expect: allow }
  - { action: network, destination: "https://api.example/v1", method: POST, expect: deny }
`,
    );
    expect(await policy('test', cases)).toMatchObject({ status: 0 });
    expect(await policy('test', '--policy', before, cases)).toMatchObject({ status: 1 });
  });
});

describe('policy init', () => {
  const own = () => join(home, 'gatekeeper/config/policy.yaml');

  it('writes the policy that holds from then on, and leaves nothing beside it', async () => {
    expect((await policy('init', '--extends', 'default,node', '--allow-host', 'a.example:443')).status).toBe(0);
    expect(readFileSync(own(), 'utf8')).toMatch(/extends: \[default, node\]\n(.*\n)*.*"a\.example:443", effect: allow/);
    expect(readdirSync(dirname(own()))).toEqual(['policy.yaml']);
    expect((await policy('explain', 'network', 'a.example:443')).status).toBe(0);
  });

  it('never replaces a file, nor what a link leads to, unless forced', async () => {
    await policy('init', '--yes');
    writeFileSync(own(), readFileSync(own(), 'utf8').replace('name: mine', 'name: kept'));
    const refused = await policy('init', '--yes');
    expect([refused.status, refused.error?.code]).toEqual([1, 'GK_POLICY_EXISTS']);
    symlinkSync(join(home, 'nowhere'), join(home, 'link.yaml'));
    expect((await policy('init', '--yes', join(home, 'link.yaml'))).error?.code).toBe('GK_POLICY_EXISTS');
    expect(readFileSync(own(), 'utf8')).toContain('name: kept');
    expect((await policy('init', '--yes', '--force')).status).toBe(0);
    expect(readFileSync(own(), 'utf8')).toContain('name: mine');
  });

  it.each([
    [['--extends', 'nope'], 'GK_POLICY_NOT_FOUND'],
    [['--extends', 'strict,claude-code'], 'GK_USAGE'],
    [['--yes', '--allow-host', 'https://a.example'], 'GK_DESTINATION'],
  ])('writes nothing with %s', async (args, code) => {
    expect((await policy('init', ...args)).error?.code).toBe(code);
    expect((await policy('init', '--yes')).status).toBe(0);
  });
});

describe('policy check', () => {
  it('names what is likely not meant with file, line and an example, and fails for it only when strict', async () => {
    const file = rules('{ path: "/a/*", effect: allow }, { path: "/a/**", effect: deny }');
    const { status, output } = await policy('check', file);
    expect(status).toBe(0);
    expect(output).toMatch(
      /^warning: .*\/p\.yaml:4: \/a\/\* \[file_read\] never decides: deny .* {2}\(as for \/a\/.*; see user:p\.yaml:4 \/a\/\*\*\)\n/,
    );
    expect((await policy('check', '--strict', file)).status).toBe(1);
    expect((await policy('check', '--strict', '--no-lint', file)).status).toBe(0);
  });

  it('notes patterns that match nothing on this machine', async () => {
    const { output } = await policy('check', rules('{ path: "/no-such-directory/*.c", effect: allow }'));
    expect(output).toContain('matches nothing on this machine: there is no /no-such-directory');
  });

  it('gives problems and findings as JSON', async () => {
    const good = JSON.parse((await policy('check', '--json', rules('{ path: "/etc/passwd", effect: allow }'))).output);
    expect(good).toMatchObject({ ok: true, findings: [], problems: [] });
    const bad = await policy('check', '--json', rules('{ path: "/a", effect: alow }'));
    expect([bad.status, JSON.parse(bad.output).problems]).toMatchObject([
      1,
      [{ line: 4, text: 'unknown effect "alow"' }],
    ]);
  });
});

describe('policy diff', () => {
  it('says what changes, with who says so, and exits with 1; with 0 where nothing does', async () => {
    const api = (more = '') =>
      `  - { action: network, rules: [{ destination: "api.example:443", effect: allow${more} }] }\n`;
    const both = (name: string, reading: string, connecting: string) =>
      write(name, `${readFileSync(rules(reading, name), 'utf8')}${connecting}`);
    const one = both('one.yaml', '{ path: "/a/**", effect: allow }', api());
    const other = both(
      'two.yaml',
      '{ path: "/a/**", effect: allow }, { path: "/a/**/*.key", effect: deny, reason: keys }',
      api(', inspect: true'),
    );
    const { status, output } = await policy('diff', one, other);
    expect(status).toBe(1);
    expect(output).toMatch(
      /^file_read +allow → deny +\/a\/\.key\n +before +user:one\.yaml:4 .*\n +after +user:two\.yaml:4 .*: keys\n/,
    );
    expect(output).toContain('\nnetwork     inspect no → yes  api.example:443\n');
    expect(output).toMatch(
      /1 change of verdict, 1 change of connections, each with a shortest example; there is no other\n$/,
    );
    expect(await policy('diff', one, one)).toMatchObject({
      status: 0,
      output: expect.stringContaining('no difference'),
    });
    const json = JSON.parse((await policy('diff', '--json', one, other)).output);
    expect(json).toMatchObject({
      incomplete: [],
      differences: [{ action: 'file_read', witness: '/a/.key', after: { effect: 'deny' } }],
      connections: [{ what: 'inspect', before: 'no', after: 'yes', loosens: false, witness: 'api.example:443' }],
    });
  });

  it('refuses what is no policy', async () => {
    expect((await policy('diff', 'default', join(home, 'none.yaml'))).error?.code).toBe('GK_POLICY_NOT_FOUND');
  });
});

describe('policy test', () => {
  const cases = (text: string, name = 'p.cases.yaml') => write(name, `cases:\n${text}`);

  it('holds a policy against the cases beside it, and exits with 1 when one fails', async () => {
    rules('{ path: "~/a/**", effect: allow, reason: mine }');
    const good = cases('  - { action: file_read, path: ~/a/b, expect: allow, rule: "~/a/**", reason: mine }\n');
    expect(await policy('test', good)).toMatchObject({
      status: 0,
      output: expect.stringMatching(/^pass .*\nok {2}1 case\n$/),
    });
    const bad = cases('  - { action: file_read, path: /home/u/a/b, expect: deny }\n');
    const { status, output } = await policy('test', '--failed', bad);
    expect([status, output]).toEqual([
      1,
      expect.stringMatching(
        /^fail {2}file_read \/home\/u\/a\/b {2}allow {2}user:p\.yaml:4 ~\/a\/\*\*\n +.*p\.cases\.yaml:2: the verdict is allow, not deny\n1 failed {2}1 case\n$/,
      ),
    ]);
    expect(JSON.parse((await policy('test', '--json', bad)).output)).toMatchObject({ ok: false, cases: 1, failed: 1 });
  });

  it('tests the preset in force without a word', async () => {
    expect(await policy('test')).toMatchObject({ status: 0, output: expect.stringMatching(/\nok {2}\d+ cases\n$/) });
  });

  it.each([
    ['a missing file', undefined, 'there is no such file of cases'],
    ['an unknown key', '  - { action: file_read, path: /a, expect: allow, rul: x }\n', 'unknown key "rul" in a case'],
    ['a case without a target', '  - { action: file_read, expect: allow }\n', 'path is missing'],
    ['a relative path', '  - { action: file_read, path: a, expect: allow }\n', 'not a path'],
    ['an unknown verdict', '  - { action: file_read, path: /a, expect: yes }\n', 'unknown expect "yes"'],
    ['a destination that is none', '  - { action: network, destination: "a b", expect: allow }\n', 'not a destination'],
  ])('refuses %s with its place', async (_name, text, what) => {
    rules('');
    const file = text === undefined ? join(home, 'none.cases.yaml') : cases(text);
    const { status, error } = await policy('test', file);
    expect([status, error?.code, error?.what]).toEqual([2, 'GK_POLICY_CASES', what]);
    expect(error?.where.startsWith(text === undefined ? file : `${file}:2:`)).toBe(true);
  });

  it('refuses cases that belong to no policy', async () => {
    const { error } = await policy('test', cases('  - { action: file_read, path: /a, expect: deny }\n', 'lonely.yaml'));
    expect(error?.what).toBe('the cases name no policy');
  });
});

describe('policy import', () => {
  const settings = () => write('settings.json', '{ "permissions": { "deny": ["Read(./.env)", "WebSearch"] } }');

  it('finds out the format, writes a policy that checks, and never replaces one', async () => {
    const output = join(home, 'out.yaml');
    expect((await policy('import', settings(), '-o', output)).status).toBe(0);
    expect(readFileSync(output, 'utf8')).toContain('- { path: "./.env/**", effect: deny }  # Read(./.env)');
    expect((await policy('check', output)).status).toBe(0);
    expect((await policy('import', settings(), '-o', output)).error?.code).toBe('GK_POLICY_EXISTS');
    const json = JSON.parse((await policy('import', '--json', settings())).output);
    expect(json).toMatchObject({ format: 'claude-code', rules: 1, notImported: [{ what: 'WebSearch' }] });
  });

  it.each([
    ['a file that is not there', undefined, 'there is no such file'],
    ['what is no JSON', '{ "a": ', /.+/],
    ['a form that nobody knows', '{ "a": 1 }', 'the file has none of the forms that are known'],
  ])('refuses %s', async (_name, text, what) => {
    const path = text === undefined ? join(home, 'none.json') : write('x.json', text);
    const { status, error } = await policy('import', path);
    expect([status, error?.code]).toEqual([1, 'GK_POLICY_IMPORT']);
    expect(error?.what).toMatch(what);
  });
});

describe('policy trust', () => {
  const project = () =>
    write(
      'project/.gatekeeper.yaml',
      `version: 1
name: x
policies:
  - action: network
    rules:
      - destination: a.example
        effect: allow
        inspect: true
        inject: [{ header: cookie, value: "{secret}", secret: "env:API_TOKEN" }]
      - { destination: "b.example:443", effect: allow, sni: any }
`,
    );

  it('shows every rule that would loosen, which secrets it would lend and what TLS could name, and trusts exactly this text', async () => {
    const file = project();
    const { status, output } = await policy('trust', '--yes', file);
    expect(status).toBe(0);
    for (const host of ['a', 'b'])
      expect(output).toMatch(new RegExp(`would loosen +network deny → allow +${host}\\.example:443`));
    expect(output).toMatch(
      /would change +network +inject nothing → cookie: \{secret\} \(secret of API_TOKEN\) {2}a\.example/,
    );
    expect(output).toMatch(/would change +network +sni required → any {2}b\.example:443/);
    const [trusted] = JSON.parse((await policy('trust', '--list', '--json')).output);
    expect(trusted).toMatchObject({ path: file, digest: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect((await policy('trust', '--remove', file)).status).toBe(0);
    expect(JSON.parse((await policy('trust', '--list', '--json')).output)).toEqual([]);
    expect((await policy('trust', '--remove', file)).error?.code).toBe('GK_POLICY_TRUST');
  });

  it('trusts nothing when nobody can be asked, and nothing that is no project', async () => {
    expect((await policy('trust', project())).error?.what).toBe('nobody agreed to trust it');
    expect((await policy('trust', '--yes', rules(''))).error?.code).toBe('GK_POLICY_TRUST');
    expect((await policy('trust', '--yes', join(home, '.gatekeeper.yaml'))).error?.what).toBe('there is no such file');
    expect(JSON.parse((await policy('trust', '--list', '--json')).output)).toEqual([]);
  });
});
