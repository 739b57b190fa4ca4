import { describe, expect, it } from 'vitest';
import { explain } from '../../../../src/core/engine/explain.ts';
import { bytes, imageOf } from '../../../support/policy.ts';

const image = imageOf(`  - action: file_read
    defaultEffect: ask
    rules:
      - { path: "./**", effect: allow }
      - { path: "**/.env*", effect: deny, reason: secrets }
      - { path: "**/.env.example", effect: allow, override: true }
  - action: shell_exec
    rules: [{ command: "git *", effect: allow }]
`);

describe('explain', () => {
  it('names winner, pierced and competing rules', () => {
    const told = explain(image, { action: 'file_read', path: bytes('/home/u/p/.env.example') });
    expect([told.effect, told.winner?.label, told.pierced?.label]).toEqual(['allow', 'user:0.yaml:9', 'user:0.yaml:8']);
    expect(told.matching.map(({ pattern, pierced }) => [pattern, pierced])).toEqual([
      ['**/.env*', true],
      ['**/.env.example', false],
      ['./**', false],
    ]);
  });

  it('names the place of a default', () => {
    const told = explain(image, { action: 'file_read', path: bytes('/etc/x') });
    expect([told.effect, told.source, told.winner, told.defaultLabel]).toEqual([
      'ask',
      'default',
      null,
      'user:0.yaml:5',
    ]);
  });

  it('reads a command by its program and words', () => {
    const ask = (writablePlace: boolean) =>
      explain(image, {
        action: 'shell_exec',
        path: bytes('/usr/bin/git'),
        words: [bytes('git'), bytes('log')],
        writablePlace,
      }).effect;
    expect([ask(false), ask(true)]).toEqual(['allow', 'deny']);
  });
});
