import { describe, expect, it } from 'vitest';
import { decidePath } from '../../../../src/core/engine/decide.ts';
import { compilePolicy } from '../../../../src/core/policy/compile.ts';
import type { ResolveExtends } from '../../../../src/core/policy/source.ts';
import { bytes, compileTexts, openTexts, ROOTS, type SourceText } from '../../../support/policy.ts';

const text = (body: string) => `version: 1\nname: x\n${body}`;
const among =
  (files: Record<string, string>): ResolveExtends =>
  (reference, from) =>
    files[reference] === undefined ? null : { name: `user:${reference}`, layer: from.layer, text: files[reference] };
const effect = (files: SourceText[], path: string, action: 'file_read' | 'file_write' | 'file_delete' = 'file_read') =>
  decidePath(openTexts(files), action, bytes(path)).effect;

describe('extends', () => {
  it('in a circle is refused with the chain', () => {
    const files = among({ a: text('extends: [b]'), b: text('extends: [a]') });
    expect(() => compileTexts([{ layer: 'user', name: 'user:top', text: text('extends: [a]') }], ROOTS, files)).toThrow(
      'extends runs in a circle: user:a → user:b → user:a',
    );
  });

  it('of something that is not there is refused at its place', () => {
    expect(() => compileTexts([{ layer: 'user', name: 'user:top', text: text('extends: [nope]') }])).toThrow(
      /^user:top:3:11: extends names "nope", which does not exist/,
    );
  });

  it('by two files of one parent takes the parent once', () => {
    const files = among({ a: text('extends: [c]'), b: text('extends: [c]'), c: text('') });
    const { image } = compileTexts([{ layer: 'user', name: 'user:top', text: text('extends: [a, b]') }], ROOTS, files);
    expect(new TextDecoder('latin1').decode(image).match(/user:c/g)).toHaveLength(2); // the file's entry and the note for readers
  });

  it('of an absolute path is refused in a project file', () => {
    const files = among({ '/etc/x': text('') });
    expect(() => compileTexts([{ layer: 'project', text: text('extends: ["/etc/x"]') }], ROOTS, files)).toThrow(
      'a file of a project cannot extend an absolute path',
    );
  });
});

describe('layers', () => {
  const deny: SourceText = {
    layer: 'system',
    text: text('policies: [{ action: file_read, rules: [{ path: /x, effect: deny }] }]'),
  };
  const override = (layer: SourceText['layer']): SourceText => ({
    layer,
    text: text(
      'policies: [{ action: file_read, defaultEffect: allow, rules: [{ path: /x, effect: allow, override: true }] }]',
    ),
  });

  it('do not pierce each other', () => {
    expect(effect([deny, override('user')], '/x')).toBe('deny');
    expect(effect([deny, override('command-line')], '/x')).toBe('deny');
  });

  it('pierce the guards, but for the project', () => {
    const guard: SourceText = { ...deny, layer: 'guards' };
    expect(effect([guard, override('system')], '/x')).toBe('allow');
    expect(effect([guard, override('user')], '/x')).toBe('allow');
    expect(effect([guard, override('project')], '/x')).toBe('deny');
  });

  it('never pierce the protection', () => {
    for (const layer of ['guards', 'system', 'user', 'command-line'] as const) {
      expect(effect([{ ...deny, layer: 'protection' }, override(layer)], '/x')).toBe('deny');
    }
  });

  it('of a project can only tighten, and say what they drop', () => {
    const project: SourceText = {
      layer: 'project',
      name: 'project:.gatekeeper.yaml',
      text: text(
        'policies:\n  - action: file_read\n    defaultEffect: allow\n    rules:\n      - { path: /a, effect: allow }\n      - { path: /b, effect: deny }\n',
      ),
    };
    const user: SourceText = {
      layer: 'user',
      text: text('policies: [{ action: file_read, rules: [{ path: /b, effect: allow }] }]'),
    };
    expect(effect([project], '/a')).toBe('deny');
    expect(effect([user, project], '/a')).toBe('deny');
    expect(effect([user, project], '/b')).toBe('deny');
    expect(compileTexts([user, project]).warnings).toEqual([
      'project:.gatekeeper.yaml:7:1: allow rules of a project file have no effect, because it can only tighten',
      'project:.gatekeeper.yaml:5:1: a looser default of a project file has no effect, because it can only tighten',
    ]);
  });

  it('of a project state no default where nobody else does', () => {
    const project: SourceText = {
      layer: 'project',
      text: text('policies: [{ action: file_read, defaultEffect: allow }]'),
    };
    expect(effect([project], '/x')).toBe('deny');
  });

  it('state the strictest default among them', () => {
    const states = (layer: SourceText['layer'], value: string): SourceText => ({
      layer,
      text: text(`policies: [{ action: file_read, defaultEffect: ${value} }]`),
    });
    expect(effect([states('user', 'allow')], '/x')).toBe('allow');
    expect(effect([states('system', 'ask'), states('user', 'allow')], '/x')).toBe('ask');
    expect(effect([states('user', 'allow'), states('project', 'deny')], '/x')).toBe('deny');
    expect(effect([], '/x')).toBe('deny');
  });

  it('are refused without the built-in ones', () => {
    expect(() => compilePolicy([], ROOTS)).toThrow('built-in protection');
  });
});

describe('file_delete', () => {
  const write =
    'policies:\n  - action: file_write\n    defaultEffect: allow\n    rules:\n      - { path: /x, effect: deny }\n';

  it('follows file_write when no file has a block for it', () => {
    expect(effect([{ layer: 'user', text: text(write) }], '/x', 'file_delete')).toBe('deny');
    expect(effect([{ layer: 'user', text: text(write) }], '/y', 'file_delete')).toBe('allow');
  });

  it('stands alone when one has', () => {
    const own = `${write}  - action: file_delete\n    rules:\n      - { path: /z, effect: allow }\n`;
    expect(effect([{ layer: 'user', text: text(own) }], '/y', 'file_delete')).toBe('deny');
    expect(effect([{ layer: 'user', text: text(own) }], '/z', 'file_delete')).toBe('allow');
  });

  it('still follows it when only the project speaks of deleting', () => {
    const project: SourceText = {
      layer: 'project',
      text: text('policies: [{ action: file_delete, rules: [{ path: /p, effect: deny }] }]'),
    };
    expect(effect([{ layer: 'user', text: text(write) }, project], '/y', 'file_delete')).toBe('allow');
    expect(effect([{ layer: 'user', text: text(write) }, project], '/p', 'file_delete')).toBe('deny');
  });
});
