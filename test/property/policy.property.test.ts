import fc from 'fast-check';
import picomatch from 'picomatch';
import { afterAll, describe, expect, it } from 'vitest';
import { decidePath, matchPath } from '../../src/core/engine/decide.ts';
import type { PolicyImage } from '../../src/core/engine/image.ts';
import { moveLoosens } from '../../src/core/engine/move.ts';
import { resolve } from '../../src/core/engine/precedence.ts';
import { EFFECT } from '../../src/core/wire/messages.ts';
import { answerLine, DecideTool, hex } from '../support/decide-tool.ts';
import { bytes, compileTexts, openTexts, type SourceText } from '../support/policy.ts';

const tool = new DecideTool();
afterAll(() => tool.close());

const piece = fc.constantFrom(
  'a',
  'b',
  '.a',
  'ab',
  'é',
  '*',
  '?',
  '??',
  'a*',
  '*b',
  '*a*',
  '[ab]',
  '[!a]',
  '[a-c]*',
  '{a,b}',
  '{a,.b}*',
);
const component = fc.oneof({ weight: 5, arbitrary: piece }, { weight: 2, arbitrary: fc.constant('**') });
const pattern = fc.array(component, { minLength: 1, maxLength: 5 }).map((parts) => `/${parts.join('/')}`);
const visible = pattern.filter((text) => !text.startsWith('/.') && !/^\/\{a,\./.test(text));
const name = fc.constantFrom('a', 'b', 'c', '.a', '.b', 'ab', 'aab', 'ba', 'é', 'ée', 'a\nb', '-');
const path = fc.array(name, { minLength: 1, maxLength: 6 }).map((parts) => `/${parts.join('/')}`);
const anyPattern = fc.oneof(
  visible,
  visible.map((text) => text.slice(1)),
);

type Rule = { path: string; effect: string; override: boolean };
const rule: fc.Arbitrary<Rule> = fc
  .record({ path: anyPattern, effect: fc.constantFrom('allow', 'deny', 'ask', 'shadow'), override: fc.boolean() })
  .map((made) => ({ ...made, override: made.override && made.effect !== 'deny' }));
const layers = ['guards', 'system', 'user', 'command-line'] as const;
const policy = fc.array(fc.record({ layer: fc.constantFrom(...layers), rules: fc.array(rule, { maxLength: 5 }) }), {
  minLength: 1,
  maxLength: 4,
});
type Layered = { layer: (typeof layers)[number]; rules: Rule[] };

const textsOf = (files: readonly Layered[]): SourceText[] =>
  files.map(({ layer, rules }) => ({
    layer,
    text: JSON.stringify({ version: 1, name: 'x', policies: [{ action: ['file_read', 'file_write'], rules }] }),
  }));
const effect = (image: PolicyImage, at: string) => EFFECT[decidePath(image, 'file_read', bytes(at)).effect];

/**
 * Held against relative forms, since picomatch reads a leading slash before `**` as a name. Here `X/**` covers X itself always; picomatch agrees
 * unless a wildcard comes before it. It writes negated classes with a caret only.
 */
function oracleOf(text: string): (at: string) => boolean {
  const options = { dot: true, nonegate: true, noextglob: true, flags: 's' };
  const relative = text.slice(1).replaceAll('[!', '[^');
  const covered = relative.replace(/(\/\*\*)+$/, '');
  const whole = picomatch(relative, options);
  const itself = covered === relative ? () => false : picomatch(covered, options);
  return (at) => whole(at.slice(1)) || itself(at.slice(1));
}

describe('compiled policies', () => {
  it('match what picomatch matches', () => {
    fc.assert(
      fc.property(visible, fc.array(path, { minLength: 1, maxLength: 20 }), (text, paths) => {
        const oracle = oracleOf(text);
        const image = openTexts(
          textsOf([{ layer: 'user', rules: [{ path: text, effect: 'allow', override: false }] }]),
        );
        for (const at of paths) expect([text, at, effect(image, at) === EFFECT.allow]).toEqual([text, at, oracle(at)]);
      }),
      { numRuns: 600 },
    );
  });

  it('decide as the rules do one by one', () => {
    fc.assert(
      fc.property(policy, fc.array(path, { minLength: 1, maxLength: 12 }), (files, paths) => {
        const image = openTexts(textsOf(files));
        const alone = image.rules.map((row) =>
          row.action === 'file_read'
            ? openTexts(textsOf([{ layer: 'user', rules: [{ path: row.pattern, effect: 'deny', override: false }] }]))
            : null,
        );
        for (const at of paths) {
          const matching = alone.flatMap((single, index) =>
            single && matchPath(single, 'file_read', bytes(at)).length > 0 ? [index] : [],
          );
          expect(decidePath(image, 'file_read', bytes(at))).toEqual(resolve(image, 'file_read', matching));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('never become less strict by another deny', () => {
    fc.assert(
      fc.property(
        policy,
        anyPattern,
        fc.constantFrom(...layers),
        fc.nat(),
        fc.array(path, { maxLength: 12 }),
        (files, text, layer, at, paths) => {
          const before = openTexts(textsOf(files));
          const deny = { path: text, effect: 'deny', override: false };
          const target = files.findIndex((file) => file.layer === layer);
          const stricter = files.map((file, index) => {
            if (index !== target) return file;
            return { ...file, rules: file.rules.toSpliced(at % (file.rules.length + 1), 0, deny) };
          });
          if (target < 0) stricter.push({ layer, rules: [deny] });
          const after = openTexts(textsOf(stricter));
          for (const where of paths) expect(effect(after, where)).toBeGreaterThanOrEqual(effect(before, where));
        },
      ),
      { numRuns: 150 },
    );
  });

  it('are the same bytes for the same text', () => {
    fc.assert(
      fc.property(policy, (files) => {
        expect(compileTexts(textsOf(files)).image).toEqual(compileTexts(textsOf(files)).image);
      }),
      { numRuns: 50 },
    );
  });

  it('are decided alike by the supervisor', () => {
    const raw = fc
      .uint8Array({ maxLength: 12 })
      .map((tail) => Uint8Array.from([0x2f, ...tail.map((byte) => byte || 1)]));
    const subject = fc.oneof(path.map(bytes), raw);
    fc.assert(
      fc.property(policy, fc.array(subject, { minLength: 4, maxLength: 30 }), (files, subjects) => {
        const texts = textsOf(files);
        const image = openTexts(texts);
        const pairs = subjects.slice(1).map((to, index) => [subjects[index]!, to] as const);
        const lines = [
          ...subjects.map((at) => `path file_write ${hex(at)}`),
          ...pairs.map(([from, to]) => `move ${hex(from)} ${hex(to)}`),
        ];
        expect(tool.ask(compileTexts(texts).image, lines)).toEqual([
          ...subjects.map((at) => answerLine(decidePath(image, 'file_write', at))),
          ...pairs.map(([from, to]) => (moveLoosens(image, from, to) ? 'loosens' : 'holds')),
        ]);
      }),
      { numRuns: 60 },
    );
  });
});
