import { describe, expect, it } from 'vitest';
import { importClaudeCode } from '../../../../src/core/import/claude-code.ts';
import { type Imported, importedText } from '../../../../src/core/import/imported.ts';
import { importNative } from '../../../../src/core/import/native.ts';
import { importSandboxRuntime } from '../../../../src/core/import/sandbox-runtime.ts';
import { parsePolicy } from '../../../../src/core/policy/parse.ts';
import { decideWritten, openTexts } from '../../../support/policy.ts';

const rulesOf = (imported: Imported): string[] =>
  [...imported.rules].flatMap(([action, rules]) =>
    rules.map(({ pattern, effect, override }) => `${action} ${effect}${override ? ' override' : ''} ${pattern}`),
  );
const left = (imported: Imported): string[] => imported.left.map(({ what }) => what);
const textOf = (imported: Imported): string => importedText(imported, 'x', 'a test').replace(/^extends.*\n/m, '');

describe('permissions of Claude Code', () => {
  const permissions = (effect: string, ...rules: unknown[]) => importClaudeCode({ permissions: { [effect]: rules } });

  it.each([
    ['Bash', 'shell_exec allow *'],
    ['Bash(*)', 'shell_exec allow *'],
    ['Bash(npm run build)', 'shell_exec allow npm run build'],
    ['Bash(git push:*)', 'shell_exec allow git push *'],
    ['Bash(curl http://a.example/:*)', 'shell_exec allow curl http://a.example/*'],
    ['Bash(npm run *)', 'shell_exec allow npm run *'],
    ['Read(~/.zshrc)', 'file_read allow ~/.zshrc/**'],
    ['Read(//etc/hosts)', 'file_read allow /etc/hosts/**'],
    ['Read(/src/**)', 'file_read allow ./src/**'],
    ['Read(./a/b)', 'file_read allow ./a/b/**'],
    ['Read(a/b)', 'file_read allow ./a/b/**'],
    ['Read(notes)', 'file_read allow ./**/notes/**'],
    ['Read(**/notes)', 'file_read allow ./**/notes/**'],
    ['Read', 'file_read allow /**'],
    ['WebFetch(domain:docs.rs)', 'network allow docs.rs:443'],
  ])('has %s as a rule', (rule, expected) => {
    expect(rulesOf(permissions('allow', rule))[0]).toBe(expected);
    expect(left(permissions('allow', rule))).toEqual([]);
  });

  it('writes and deletes what may be edited', () => {
    expect(rulesOf(permissions('deny', 'Edit(./x)'))).toEqual(['file_write deny ./x/**', 'file_delete deny ./x/**']);
  });

  it('refuses at every depth what is refused at every depth, not in the project alone', () => {
    expect(rulesOf(permissions('deny', 'Read(**/.env)'))).toEqual(['file_read deny **/.env/**']);
  });

  it.each([
    'Bash(a | b)',
    'Bash(a && b)',
    'Bash(echo $X)',
    'Bash(X=1 a)',
    'Read(!a)',
    'Read(../a)',
    'WebFetch(https://a.example)',
    'WebSearch',
    'mcp__github__get',
    'Task(x)',
  ])('lists %s as what cannot be said', (rule) => {
    const imported = permissions('deny', rule);
    expect([rulesOf(imported), left(imported)]).toEqual([[], [rule]]);
  });

  it('leaves nothing out without a word', () => {
    const imported = importClaudeCode({
      permissions: { allow: [7], defaultMode: 'plan', additionalDirectories: ['../docs', '~/more/'] },
      sandbox: { enabled: true, network: { allowedDomains: ['a.example'] } },
      hooks: {},
      model: 'x',
    });
    expect(left(imported)).toEqual([
      'permissions.allow: 7',
      'permissions.defaultMode: "plan"',
      '../docs',
      'sandbox.enabled: true',
      'hooks, model',
    ]);
    expect(rulesOf(imported)).toEqual([
      'file_read allow ~/more/**',
      'file_write allow ~/more/**',
      'file_delete allow ~/more/**',
      'network allow a.example',
    ]);
    const text = textOf(imported);
    for (const what of left(imported)) expect(text).toContain(`#   ${what}: `);
  });
});

describe('settings of sandbox-runtime', () => {
  const settings = {
    network: {
      allowedDomains: ['github.com', '*.github.com:443'],
      deniedDomains: ['gist.github.com'],
      deniedDomainReasons: { 'gist.github.com': 'no gists' },
      allowUnixSockets: ['/run/x.sock'],
      httpProxyPort: 8080,
    },
    filesystem: { denyRead: ['~/.ssh', '/home'], allowRead: ['.'], allowWrite: ['.', 'src/'], denyWrite: ['.env'] },
    ignoreViolations: { '*': ['/usr/bin'] },
  };
  const image = openTexts([{ layer: 'user', text: textOf(importSandboxRuntime(settings)) }]);
  const verdict = (request: Parameters<typeof decideWritten>[1]) => decideWritten(image, request).effect;

  it.each([
    ['reading is allowed', { action: 'file_read', path: '/usr/x' }, 'allow'],
    ['but for what is denied', { action: 'file_read', path: '/home/u/.ssh/id_rsa' }, 'deny'],
    ['and allowed again within that', { action: 'file_read', path: '/home/u/p/a' }, 'allow'],
    ['writing is denied', { action: 'file_write', path: '/usr/x' }, 'deny'],
    ['but for what is allowed', { action: 'file_write', path: '/home/u/p/src/a' }, 'allow'],
    ['and denied again within that', { action: 'file_write', path: '/home/u/p/.env' }, 'deny'],
    ['hosts are denied', { action: 'network', name: 'a.example', port: 443 }, 'deny'],
    ['but for those that are allowed', { action: 'network', name: 'github.com', port: 22 }, 'allow'],
    ['on the port that is named', { action: 'network', name: 'api.github.com', port: 22 }, 'deny'],
    ['and denied again', { action: 'network', name: 'gist.github.com', port: 443 }, 'deny'],
    ['sockets that are allowed', { action: 'unix_socket', path: '/run/x.sock' }, 'allow'],
    ['programs start', { action: 'shell_exec', command: ['/usr/bin/make'] }, 'allow'],
  ])('mean the same here: %s', (_name, request, effect) => {
    expect(verdict(request)).toBe(effect);
  });

  it('are listed where they cannot be said', () => {
    expect(left(importSandboxRuntime(settings))).toEqual([
      'network.httpProxyPort: 8080',
      'ignoreViolations: {"*":["/usr/bin"]}',
    ]);
  });
});

describe('rules with path, command and destination', () => {
  const one = (action: string, rule: unknown) => importNative({ policies: [{ action, rules: [rule] }] });

  it.each([
    ['/.ssh/', '**/.ssh/**'],
    ['*/.env', '**/.env'],
    ['**/.env', '**/.env'],
    ['/etc/', '/etc/**'],
    ['./src/**', './src/**'],
    ['*.pem', '*.pem'],
  ])('have the loose path %s as %s, and show it', (loose, tight) => {
    const imported = one('file_read', { path: loose, effect: 'deny' });
    expect(rulesOf(imported)).toEqual([`file_read deny ${tight}`]);
    expect(textOf(imported).includes(`# ${loose}`)).toBe(loose !== tight);
  });

  it.each([
    ['https://a.example', 'a.example:443'],
    ['http://a.example/', 'a.example:80'],
    ['https://a.example:8443/*', 'a.example:8443'],
    ['.a.example', '*.a.example'],
  ])('have the destination %s as %s', (loose, tight) => {
    expect(rulesOf(one('network', { destination: loose, effect: 'allow' }))).toEqual([`network allow ${tight}`]);
  });

  it.each([
    [
      'a narrower URL, which the host alone would widen',
      'network',
      { destination: 'https://a.example/v1/', effect: 'allow' },
    ],
    ['a condition on an allow', 'network', { destination: 'a.example', effect: 'allow', rateLimit: 5 }],
    ['an effect that nobody knows', 'file_read', { path: 'a', effect: 'maybe' }],
    ['a rule without a target', 'file_read', { effect: 'deny' }],
    ['a path that climbs', 'file_read', { path: '../a', effect: 'deny' }],
    ['an action that nobody knows', 'fly', { path: 'a', effect: 'deny' }],
  ])('are listed and not guessed: %s', (_name, action, rule) => {
    const imported = one(action, rule);
    expect(rulesOf(imported)).toEqual([]);
    expect(imported.left.length).toBeGreaterThan(0);
  });

  it('keep a deny whose condition cannot be said, for all requests', () => {
    const imported = one('network', { destination: 'a.example', effect: 'deny', hours: 'night' });
    expect(rulesOf(imported)).toEqual(['network deny a.example']);
    expect(imported.left).toHaveLength(1);
  });
});

it('gives a valid policy whatever the texts hold', () => {
  const hostile = 'x"\n  - action: file_read\u2028# \u0007';
  const imported = importClaudeCode({ permissions: { deny: [`Bash(${hostile})`, `Read(${hostile})`] }, [hostile]: 1 });
  expect(() => parsePolicy({ name: 'x', layer: 'user', text: importedText(imported, hostile, hostile) })).not.toThrow();
});
