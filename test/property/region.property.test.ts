import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { decideCommand, decidePath } from '../../src/core/engine/decide.ts';
import { PolicyImage } from '../../src/core/engine/image.ts';
import type { TimedGrant } from '../../src/core/policy/grant-layer.ts';
import { covers } from '../../src/core/policy/hierarchy.ts';
import { DecideTool, hex } from '../support/decide-tool.ts';
import { bytes, commandTexts, compileTexts, ROOTS, type SourceText } from '../support/policy.ts';

const tool = new DecideTool();
afterAll(() => tool.close());

const names = ['a', 'b', 'ab', '.a', 'c'];
const name = fc.constantFrom(...names);
const trees = ['/a', '/b', '/a/b', '/a/ab', '/b/a', '/ab'];
const tree = fc.constantFrom(...trees);
const effects = fc.constantFrom('allow', 'allow', 'allow', 'deny', 'ask', 'shadow');
/** Whole trees often, so that some are free; single names anywhere, so that others are not. */
const where = fc.oneof(
  { weight: 4, arbitrary: tree.map((path) => `${path}/**`) },
  { weight: 1, arbitrary: fc.constant('/**') },
  { weight: 2, arbitrary: fc.tuple(tree, name).map(([path, last]) => `${path}/**/${last}`) },
  { weight: 1, arbitrary: fc.tuple(tree, name).map(([path, last]) => `${path}/${last}`) },
  { weight: 1, arbitrary: name.map((last) => `**/${last}`) },
  { weight: 1, arbitrary: tree.map((path) => `${path}/*b`) },
);
const rule = fc
  .record({ path: where, effect: effects, override: fc.boolean(), log: fc.constantFrom(false, false, false, true) })
  .map((made) => ({ ...made, override: made.override && made.effect !== 'deny' }));
const file = fc.record({
  layer: fc.constantFrom('guards', 'system', 'user', 'command-line'),
  defaultEffect: fc.constantFrom('deny', 'deny', 'allow'),
  rules: fc.array(rule, { maxLength: 6 }),
});
const files = fc.array(file, { minLength: 1, maxLength: 3 });
type Layered = typeof files extends fc.Arbitrary<infer T> ? T : never;

const textsOf = (made: Layered): SourceText[] =>
  made.map(({ layer, defaultEffect, rules }) => ({
    layer: layer as SourceText['layer'],
    text: JSON.stringify({ version: 1, name: 'x', policies: [{ action: 'file_read', defaultEffect, rules }] }),
  }));
const grant = tree.map((path): TimedGrant => ({ id: 'g', action: 'file_read', pattern: `${path}/**`, until: 1 }));

const isPlain = (image: PolicyImage, path: Uint8Array): boolean => {
  const { effect, log } = decidePath(image, 'file_read', path);
  return effect === 'allow' && !log;
};
/** Every path of some names at and beneath a tree. */
const beneath = (path: string, depth: number): string[] => [
  path,
  ...(depth === 0 ? [] : [...names, 'x'].flatMap((next) => beneath(`${path}/${next}`, depth - 1))),
];

describe('the region', () => {
  it('holds nothing that is not allowed, or that is recorded, and is the same for the supervisor', () => {
    let entries = 0;
    const raw = fc.uint8Array({ minLength: 1, maxLength: 8 }).map((tail) => tail.map((byte) => byte || 1));
    const tail = fc.oneof(
      fc.array(name, { maxLength: 4 }).map((parts) => bytes(parts.join('/'))),
      raw,
    );
    fc.assert(
      fc.property(files, fc.array(tail, { minLength: 10, maxLength: 30 }), (made, tails) => {
        const { image: written, hints } = compileTexts(textsOf(made));
        const image = PolicyImage.open(written, '');
        entries += image.region.length;
        for (const { path } of image.region)
          for (const end of tails) {
            const full = end.length === 0 ? path : Uint8Array.of(...path, 0x2f, ...end);
            expect([Buffer.from(full).toString('latin1'), isPlain(image, full)]).toEqual([expect.anything(), true]);
          }
        expect(tool.ask(written, ['region'])[0]?.split(' ')).toEqual([
          hints.files ? 'files' : 'directories',
          ...image.region.map(({ path }) => hex(path)),
        ]);
        expect(hints.directories).toBe(image.region.length > 0);
      }),
      { numRuns: 150 },
    );
    expect(entries).toBeGreaterThan(100);
  });

  it('leaves out no tree that a rule allows and in which nothing is in the way', () => {
    let left = 0;
    fc.assert(
      fc.property(files, (logging) => {
        // Of two rules that allow the one in front decides about the receipt; a receipt in sight is enough to stay out.
        const made = logging.map((one) => ({ ...one, rules: one.rules.map((made) => ({ ...made, log: false })) }));
        const image = PolicyImage.open(compileTexts(textsOf(made)).image, '');
        const rules = made.flatMap((one) => one.rules.filter(({ effect }) => effect === 'allow'));
        for (const path of trees.filter((one) => rules.some((rule) => rule.path === `${one}/**`))) {
          if (image.region.some((one) => covers(one.path, bytes(path)))) continue;
          left++;
          expect([path, beneath(path, 3).some((one) => !isPlain(image, bytes(one)))]).toEqual([path, true]);
        }
      }),
      { numRuns: 150 },
    );
    expect(left).toBeGreaterThan(50);
  });

  it('is what it is without grants, which end', () => {
    fc.assert(
      fc.property(files, grant, (made, granted) => {
        const region = (...grants: TimedGrant[]) =>
          PolicyImage.open(compileTexts(textsOf(made), ROOTS, () => null, grants).image, '').region;
        expect(region(granted)).toEqual(region());
      }),
      { numRuns: 60 },
    );
  });
});

const program = fc.oneof(
  fc.tuple(tree, fc.constantFrom('/a', '/ab', '/x y', "/it's", '/b/c')).map(([path, last]) => `${path}${last}`),
  tree,
);
const command = fc.oneof(
  { weight: 8, arbitrary: tree.map((path) => [`${path} *`, `${path}/* *`]) },
  { weight: 2, arbitrary: tree.map((path) => `${path}/* *`) },
  { weight: 1, arbitrary: tree.map((path) => `${path}/*`) },
  { weight: 1, arbitrary: fc.constantFrom('a *', '*', 'b/a *', '/* *', '/*b *') },
  { weight: 1, arbitrary: program },
);
const starts = fc
  .record({ command, effect: fc.constantFrom('deny', 'deny', 'allow', 'ask'), override: fc.boolean() })
  .map((made) => ({ ...made, override: made.override && made.effect !== 'deny' }));

describe('the hierarchies of programs', () => {
  it('hold every program that is not refused by a rule', () => {
    let refused = 0;
    const words = fc.array(fc.constantFrom('a', 'x y', "'", '/'), { maxLength: 2 });
    const programs = fc.array(fc.tuple(program, words), { minLength: 15, maxLength: 40 });
    fc.assert(
      fc.property(fc.array(starts, { maxLength: 7 }), programs, (rules, started) => {
        const policies = [
          { action: 'file_read', rules: [{ path: trees.map((path) => `${path}/**`), effect: 'allow' }] },
          { action: 'shell_exec', rules },
        ];
        const text = JSON.stringify({ version: 1, name: 'x', policies });
        const image = PolicyImage.open(compileTexts([{ layer: 'user', text }]).image, '');
        const floor = image.floor.filter(({ access }) => (access & 4) !== 0).map(({ path }) => bytes(path));
        refused += trees.filter((path) => !floor.some((one) => covers(one, bytes(path)))).length;
        for (const [path, argv] of started) {
          if (floor.some((one) => covers(one, bytes(path)))) continue;
          const { base, path: full } = commandTexts([path, ...argv]);
          for (const writable of [false, true])
            expect([path, argv, decideCommand(image, base, full, writable)]).toMatchObject([
              path,
              argv,
              { effect: 'deny', source: 'rule' },
            ]);
        }
      }),
      { numRuns: 300 },
    );
    expect(refused).toBeGreaterThan(100);
  });
});
