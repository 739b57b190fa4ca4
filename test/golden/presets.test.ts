import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { PRESETS } from '../../src/adapters/policy-files/presets.ts';
import { parseAddress } from '../../src/core/egress/address.ts';
import { PolicyImage } from '../../src/core/engine/image.ts';
import { withheldVariables } from '../../src/core/policy/environment.ts';
import { answerLine, DecideTool, hex, requestLine } from '../support/decide-tool.ts';
import { compileTexts, decideWritten, ROOTS, type SourceText, type WrittenRequest } from '../support/policy.ts';

type Case = {
  action: string;
  path?: string;
  command?: string[];
  writable?: boolean;
  destination?: string;
  expect: string;
  source?: string;
  rule?: string;
  pierced?: string;
  reason?: string;
  log?: boolean;
};

/** What an agent logs in with, and what it runs or obeys at its next start. */
const AGENTS: readonly [agent: string, accounts: string[], obeyed: string[]][] = [
  [
    'claude-code',
    ['~/.claude/.credentials.json', '~/.claude.json'],
    [
      'settings.json',
      'settings.local.json',
      'CLAUDE.md',
      'hooks/x',
      'commands/x',
      'agents/x',
      'skills/x',
      'plugins/x',
      'local/claude',
    ].map((name) => `~/.claude/${name}`),
  ],
  [
    'codex',
    ['~/.codex/auth.json'],
    ['config.toml', 'AGENTS.md', 'hooks.json', 'prompts/x', 'skills/x', 'rules/x', 'plugins/x', 'tmp/arg0/x'].map(
      (name) => `~/.codex/${name}`,
    ),
  ],
  [
    'gemini-cli',
    [
      '~/.gemini/oauth_creds.json',
      '~/.gemini/gemini-credentials.json',
      '~/.gemini/mcp-oauth-tokens.json',
      '~/.gemini/.env',
    ],
    [
      'settings.json',
      '.env',
      'GEMINI.md',
      'commands/x',
      'extensions/x',
      'policies/x',
      'skills/x',
      'tmp/bin/rg',
      'trusted_hooks.json',
    ].map((name) => `~/.gemini/${name}`),
  ],
  [
    'aider',
    ['~/.aider.conf.yml', '~/.aider/oauth-keys.env'],
    ['~/.aider.conf.yml', '~/.aider.model.settings.yml', '~/.env'],
  ],
];

const tool = new DecideTool();
afterAll(() => tool.close());
const read = (name: string) => readFileSync(`policies/${name}.yaml`, 'utf8');

const source = (name: string) =>
  ({ layer: 'user', name: `preset:${name}.yaml`, text: read(name), shipped: true }) as const;

/** A user's policy over the built-in files; what it extends are presets. */
const compileUser = (user: SourceText) =>
  compileTexts(
    [
      { layer: 'protection', name: 'builtin:protection.yaml', text: read('builtin/protection'), shipped: true },
      { layer: 'guards', name: 'builtin:guards.yaml', text: read('builtin/guards'), shipped: true },
      user,
    ],
    ROOTS,
    (reference) => (PRESETS.includes(reference) ? source(reference) : null),
  );
const decide = (image: PolicyImage, row: Partial<Case>) =>
  decideWritten(image, requestOf({ action: 'file_read', expect: '', ...row })).effect;

describe.each(PRESETS)('the preset %s', (name) => {
  const { image: bytes, warnings } = compileUser(source(name));
  const image = PolicyImage.open(bytes, '');
  const { cases } = parse(read(`${name}.cases`)) as { cases: Case[] };

  it('compiles without a warning, to an image of modest size', () => {
    expect(warnings).toEqual([]);
    expect(bytes.length).toBeLessThan(768 * 1024);
  });

  it.each(cases)('$action $path $command $destination: $expect', (row) => {
    const decision = decideWritten(image, requestOf(row));
    const { rule, source, effect, pierced, log } = decision;
    expect([effect, rule === null ? 'default' : image.rules[rule]?.label]).toEqual([row.expect, expect.anything()]);
    const decided = rule === null ? undefined : image.rules[rule];
    const speaks = row.rule !== undefined || row.reason !== undefined || row.pierced !== undefined;
    if (speaks || row.source !== undefined) expect(source).toBe(row.source ?? 'rule');
    else if (row.expect === 'deny') expect(source).toBe('default');
    if (row.rule !== undefined) expect(decided?.pattern).toBe(row.rule);
    if (row.reason !== undefined) expect(decided?.reason).toBe(row.reason);
    if (row.log !== undefined) expect(log).toBe(row.log);
    if (row.pierced !== undefined) expect(pierced === null ? null : image.rules[pierced]?.pattern).toBe(row.pierced);
  });

  it('decides its cases alike in the supervisor', () => {
    const asked = cases.map(requestOf).filter((request) => requestLine(request) !== null);
    const answers = tool.ask(
      bytes,
      asked.map((request) => requestLine(request)!),
    );
    expect(answers).toEqual(asked.map((request) => answerLine(decideWritten(image, request))));
    expect(asked.length).toBeGreaterThan(5);
  });

  it('lets files move between the workspace and /tmp, and secrets stay', () => {
    const moves = [
      ['/home/u/p/a', '/home/u/p/b'],
      ['/tmp/build', '/home/u/p/build'],
      ['/home/u/p/.env', '/home/u/p/env'],
      ['/home/u/p/.git', '/home/u/p/git'],
      ['/home/u/.local/state', '/home/u/p/state'],
    ];
    const answers = tool.ask(
      bytes,
      moves.map(([from, to]) => `move ${hex(from!)} ${hex(to!)}`),
    );
    // What may be read either way, or not at all, moves.
    const secret = ['observe', 'secret-free', 'home-programs'].includes(name) ? 'holds' : 'loosens';
    const scratch = ['strict', 'readonly'].includes(name) ? expect.any(String) : 'holds';
    expect(answers).toEqual(['holds', scratch, secret, 'loosens', 'loosens']);
  });
});

describe('the presets of agents', () => {
  const images = AGENTS.map(([agent]) => [agent, PolicyImage.open(compileUser(source(agent)).image, '')] as const);

  it.each(AGENTS)('%s alone opens what its agent logs in with', (agent, accounts) => {
    for (const path of accounts)
      for (const [other, image] of images)
        expect([path, other, decide(image, { path })]).toEqual([path, other, other === agent ? 'allow' : 'deny']);
  });

  it.each(AGENTS)('%s lets no run write what the agent runs or obeys outside', (agent, _accounts, obeyed) => {
    for (const [other, image] of images)
      for (const path of obeyed)
        for (const action of ['file_write', 'file_delete'])
          expect([other, action, path, decide(image, { action, path })]).toEqual([other, action, path, 'deny']);
    expect(agent).not.toBe('');
  });

  it.each([
    ['claude-code', 'ANTHROPIC_API_KEY', 'OPENAI_API_KEY'],
    ['codex', 'OPENAI_API_KEY', 'ANTHROPIC_API_KEY'],
    ['gemini-cli', 'GEMINI_API_KEY', 'ANTHROPIC_API_KEY'],
    ['aider', 'OPENROUTER_API_KEY', 'GITHUB_TOKEN'],
  ])('%s leaves its agent %s and takes %s', (agent, passed, dropped) => {
    const { launch } = compileUser(source(agent));
    expect(withheldVariables(launch.env, [passed, dropped]).map(({ name }) => name)).toEqual([dropped]);
    expect(withheldVariables(compileUser(source('default')).launch.env, [passed])).toHaveLength(1);
  });

  it('leave npm no cache that programs outside start from', () => {
    expect(compileUser(source('node')).launch.caches).toEqual({ npm: 'workspace' });
  });

  it('compose with those of ecosystems', () => {
    const text = 'version: 1\nname: mine\nextends: [default, node, python, claude-code]\n';
    const { image: bytes, warnings } = compileUser({ layer: 'user', name: 'user:policy.yaml', text });
    const image = PolicyImage.open(bytes, '');
    expect(warnings).toEqual([]);
    const hosts = ['registry.npmjs.org:443', 'pypi.org:443', 'api.anthropic.com:443', 'index.crates.io:443'];
    expect(hosts.map((destination) => decide(image, { action: 'network', destination }))).toEqual([
      'allow',
      'allow',
      'allow',
      'deny',
    ]);
    expect(decide(image, { path: '~/.claude/.credentials.json' })).toBe('allow');
    expect(decide(image, { path: '~/.codex/auth.json' })).toBe('deny');
  });

  it('let files move as before when the user adds a rule, whose automata are others', () => {
    const text =
      'version: 1\nname: mine\nextends: [default]\npolicies:\n  - action: [file_read, file_write]\n    rules: [{ path: "**/*.key1", effect: deny }]\n';
    const { image } = compileUser({ layer: 'user', name: 'user:policy.yaml', text });
    const moves = ['/home/u/p/a /home/u/p/b', '/tmp/build /home/u/p/build', '/home/u/p/.env /home/u/p/env'];
    const asked = moves.map((move) => `move ${move.split(' ').map(hex).join(' ')}`);
    expect(tool.ask(image, asked)).toEqual(['holds', 'holds', 'loosens']);
  });

  it('all of them together compile within the size of an image', () => {
    const text = `version: 1\nname: all\nextends: [${PRESETS.join(', ')}]\n`;
    const { image, warnings } = compileUser({ layer: 'user', name: 'user:policy.yaml', text });
    expect(warnings).toEqual([]);
    expect(image.length).toBeLessThan(1024 * 1024);
  });
});

function requestOf(row: Case): WrittenRequest {
  const { action, command, writable, destination } = row;
  if (command) return { action, command, ...(writable ? { writable } : {}) };
  if (row.path !== undefined)
    return { action, path: row.path.replace(/^~/, '/home/u').replace(/^\.(?=\/|$)/, '/home/u/p') };
  const [, host = '', port] = /^(.*):([0-9]+)$/.exec(destination ?? '') ?? [];
  const address = parseAddress(host);
  return { action, port: Number(port), ...(address ? { address: hex(address) } : { name: host }) };
}
