import { describe, expect, it } from 'vitest';
import { howToAllow } from '../../../src/cli/how-to-allow.ts';
import { type Asked, answer } from '../../../src/core/engine/answer.ts';
import { PolicyImage } from '../../../src/core/engine/image.ts';
import { compilePolicy } from '../../../src/core/policy/compile.ts';
import type { PolicyLayer } from '../../../src/core/policy/source.ts';

const image = compile({
  protection: `
  - action: file_read
    rules: [{ path: "/keys/**", effect: deny, reason: "signing keys" }]`,
  guards: `
  - action: file_write
    rules: [{ path: "**/.bashrc", effect: deny }]`,
  user: `
  - action: file_read
    rules:
      - { path: "./**", effect: allow }
      - { path: "**/.env", effect: deny, reason: "secrets stay here" }
      - { path: "./example/.env", effect: allow, override: true }
      - { path: "./later", effect: ask }
  - action: file_write
    rules: [{ path: "./**", effect: allow }]
  - action: shell_exec
    rules:
      - { command: "git*", effect: allow }
      - { command: "python3*", effect: allow }
  - action: network
    rules: [{ destination: "api.example.com:443", effect: allow }]`,
  project: `
  - action: file_read
    rules: [{ path: "./private", effect: deny }]`,
});

describe('answer', () => {
  it.each<[string, Asked, string, string | undefined]>([
    ['a read that a rule allows', { action: 'file_read', path: '/p/a' }, 'allow', 'user:u.yaml:6'],
    ['a read that a stricter rule denies', { action: 'file_read', path: '/p/.env' }, 'deny', 'user:u.yaml:7'],
    ['a read that an override allows', { action: 'file_read', path: '/p/example/.env' }, 'allow', 'user:u.yaml:8'],
    ['a read that a human is asked about', { action: 'file_read', path: '/p/later' }, 'ask', 'user:u.yaml:9'],
    ['a read of what is protected', { action: 'file_read', path: '/keys/k' }, 'deny', 'protection:5'],
    ['a connection by name', { action: 'network', name: 'api.example.com', port: 443 }, 'allow', 'user:u.yaml:17'],
    ['a connection to another port', { action: 'network', name: 'api.example.com', port: 80 }, 'deny', undefined],
    ['a program in a safe place', command('/usr/bin/git', 'git'), 'allow', 'user:u.yaml:14'],
    ['a program of that name where the run writes', command('/p/git', './git'), 'deny', undefined],
    [
      'a program by the name of the link to it',
      { ...command('/usr/bin/python3.11', 'python3'), alias: '/usr/bin/python3' },
      'allow',
      'user:u.yaml:15',
    ],
    [
      'a link of that name where the run writes',
      { ...command('/usr/bin/perl', 'git'), alias: '/p/git' },
      'deny',
      undefined,
    ],
    ['a shell, which no rule names', command('/usr/bin/bash', 'bash'), 'allow', undefined],
    ['a shell where the run writes', command('/p/bash', './bash'), 'deny', undefined],
  ])('judges %s', (_name, asked, verdict, label) => {
    const found = answer(image, asked);
    expect([found.verdict, found.winner?.label]).toEqual([verdict, label]);
  });
});

describe('howToAllow', () => {
  const hint = (asked: Asked, subject: string) => howToAllow(answer(image, asked), subject, '~/policy.yaml');

  it.each<[string, Asked, string, RegExp]>([
    ['protection', { action: 'file_read', path: '/keys/k' }, '/keys/k', /^nothing can/],
    [
      'a rule of the user',
      { action: 'file_read', path: '/p/.env' },
      '/p/.env',
      /^change user:u\.yaml:7, or .*"\/p\/\.env", effect: allow, override: true/,
    ],
    [
      'a built-in rule',
      { action: 'file_write', path: '/x/.bashrc' },
      '/x/.bashrc',
      /^add to ~\/policy\.yaml \(with extends: \[default\]\) under action file_write: .*override: true/,
    ],
    [
      'a rule of the project',
      { action: 'file_read', path: '/p/private' },
      '/p/private',
      /^change project:p\.yaml:5: what a project/,
    ],
    [
      'a rule that asks',
      { action: 'file_read', path: '/p/later' },
      '/p/later',
      /^gatekeeper grants add file_read \/p\/later$/,
    ],
    [
      'no rule for a file',
      { action: 'file_read', path: '/x' },
      '/x',
      /^add to ~\/policy\.yaml under action file_read: \{ path: "\/x", effect: allow \}/,
    ],
    [
      'no rule for a destination',
      { action: 'network', name: 'x.org', port: 443 },
      'x.org:443',
      /^gatekeeper net allow x\.org:443$/,
    ],
  ])('says what to do against %s', (_name, asked, subject, text) => {
    expect(hint(asked, subject)).toMatch(text);
  });
});

function command(program: string, ...words: string[]): Extract<Asked, { action: 'shell_exec' }> {
  return { action: 'shell_exec', program, alias: undefined, words };
}

function compile(blocks: Partial<Record<PolicyLayer, string>>): PolicyImage {
  const names: Partial<Record<PolicyLayer, string>> = {
    guards: 'builtin:g.yaml',
    user: 'user:u.yaml',
    project: 'project:p.yaml',
  };
  const sources = Object.entries(blocks).map(([layer, text]) => ({
    name: names[layer as PolicyLayer] ?? layer,
    layer: layer as PolicyLayer,
    text: `version: 1\nname: ${layer}\npolicies:${text}\n`,
  }));
  const bytes = (text: string) => new TextEncoder().encode(text);
  const root = (path: string) => ({ lexical: bytes(path), real: bytes(path) });
  const roots = { home: root('/home/u'), workspace: root('/p'), tmp: root('/tmp') };
  return PolicyImage.open(compilePolicy(sources, roots).image, '0'.repeat(64));
}
