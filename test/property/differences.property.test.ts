import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareImages, type Difference } from '../../src/core/analysis/differences.ts';
import { canonicalCommand } from '../../src/core/engine/command-text.ts';
import { decideCommand, decideHost, decidePath, type HostRequest } from '../../src/core/engine/decide.ts';
import type { PolicyImage } from '../../src/core/engine/image.ts';
import { bytes, openTexts } from '../support/policy.ts';

const effect = fc.constantFrom('allow', 'deny', 'ask', 'shadow');
const ruleWith = (subject: Record<string, fc.Arbitrary<string>>) =>
  fc
    .record({ ...subject, effect, override: fc.boolean() } as Record<string, fc.Arbitrary<unknown>>)
    .map((made) => ({ ...made, override: made['override'] === true && made['effect'] !== 'deny' }));
const text = (action: unknown, rules: unknown[], more: unknown[] = []) =>
  JSON.stringify({ version: 1, name: 'x', policies: [{ action, defaultEffect: 'deny', rules }, ...more] });
const open = (policy: string): PolicyImage => openTexts([{ layer: 'user', text: policy }]);
const pairsOf = (differences: readonly Difference[]) =>
  new Set(differences.map(({ before, after }) => `${before.effect} ${after.effect}`));

describe('differences of paths', () => {
  const piece = fc.constantFrom('a', 'b', '.a', '*', 'a*', '?', '**', '[!a]', '{a,b}', 'é');
  const pattern = fc
    .tuple(fc.constantFrom('/a/', '**/', './', '~/', '/'), fc.array(piece, { minLength: 1, maxLength: 3 }))
    .map(([lead, parts]) => lead + parts.join('/'))
    .filter((made) => !made.startsWith('/.') && !made.includes('**/**'));
  const rules = fc.array(ruleWith({ path: pattern }), { maxLength: 4 });
  const name = fc.constantFrom('a', 'b', 'c', '.a', 'ab', 'é', '\xff', '-');
  const path = fc
    .tuple(fc.constantFrom('', '/home/u', '/home/u/p', '/a'), fc.array(name, { minLength: 1, maxLength: 4 }))
    .map(([lead, parts]) => Uint8Array.from(Buffer.from(`${lead}/${parts.join('/')}`, 'latin1')));

  it('miss no pair of verdicts that a sample shows, and their witnesses are judged as they say', () => {
    fc.assert(
      fc.property(rules, rules, fc.array(path, { minLength: 30, maxLength: 60 }), (one, other, paths) => {
        const [before, after] = [open(text('file_read', one)), open(text('file_read', other))];
        const { differences, incomplete } = compareImages(before, after);
        expect(incomplete).toEqual([]);
        const found = differences.filter(({ action }) => action === 'file_read');
        const pairs = pairsOf(found);
        for (const at of paths) {
          const seen = [before, after].map((image) => decidePath(image, 'file_read', at).effect);
          if (seen[0] !== seen[1]) expect([...pairs]).toContain(seen.join(' '));
        }
        for (const { before: b, after: a, witness } of found) {
          if (!('path' in witness)) throw new Error('not a path');
          expect(decidePath(before, 'file_read', witness.path).effect).toBe(b.effect);
          expect(decidePath(after, 'file_read', witness.path).effect).toBe(a.effect);
          expect(Buffer.from(witness.path).toString('latin1')).toMatch(/^(\/|(\/(?!\.{1,2}(\/|$))[^/\0]+)+)$/);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('are none between a policy and itself, and are the same pairs turned round when the policies change places', () => {
    fc.assert(
      fc.property(rules, rules, (one, other) => {
        const [before, after] = [open(text('file_read', one)), open(text('file_read', other))];
        expect(compareImages(before, before).differences).toEqual([]);
        const turned = compareImages(after, before).differences.map(
          ({ before: b, after: a }) => `${a.effect} ${b.effect}`,
        );
        expect(new Set(turned)).toEqual(pairsOf(compareImages(before, after).differences));
      }),
      { numRuns: 60 },
    );
  });

  it('are found where the last of many names decides, which no sample meets', () => {
    const deep = '/a/**/b*/c?/**/[d-f]x/.{g,h}/final';
    const before = open(text('file_read', [{ path: '/a/**', effect: 'allow' }]));
    const after = open(
      text('file_read', [
        { path: '/a/**', effect: 'allow' },
        { path: deep, effect: 'deny' },
      ]),
    );
    const { differences } = compareImages(before, after);
    expect(differences.map(({ witness }) => 'path' in witness && Buffer.from(witness.path).toString())).toEqual([
      '/a/b/ca/dx/.g/final',
    ]);
  });

  it('are said to be unknown when the patterns are too many to walk through', () => {
    const before = open(text('file_read', [{ path: '/a/**', effect: 'allow' }]));
    expect(compareImages(before, before, { most: 1 }).incomplete).toContain('file_read');
  });
});

describe('differences of commands', () => {
  const word = fc.constantFrom('a', 'b', '*', 'a*', '?', '-x');
  const pattern = fc
    .tuple(
      fc.constantFrom('', '/usr/bin/', './', 'bin/'),
      fc.constantFrom('a', 'b', 'sh', '*', 'a?', "b'"),
      fc.array(word, { maxLength: 2 }),
    )
    .map(([lead, program, words]) => [lead + program, ...words].join(' '));
  const rules = fc.array(ruleWith({ command: pattern }), { maxLength: 4 });
  const writes = fc.array(
    fc.constantFrom('/usr/bin/**', './**', '**/a', '/**').map((path) => ({ path, effect: 'allow' })),
    { maxLength: 2 },
  );
  const program = fc
    .tuple(
      fc.constantFrom('/usr/bin', '/home/u/p', '/home/u/p/bin', '/x y/bin'),
      fc.constantFrom('a', 'b', 'sh', 'ab', 'c', "b'", 'a b'),
    )
    .map((parts) => parts.join('/'));
  const command = fc.tuple(program, fc.array(fc.constantFrom('a', 'b', '-x', '', "q'", 'a b'), { maxLength: 2 }));
  const policy = fc.tuple(rules, writes);

  const judge = (image: PolicyImage, path: string, args: readonly string[]): string => {
    const base = path.slice(path.lastIndexOf('/') + 1);
    const rest = args.map(bytes);
    const writable = decidePath(image, 'file_write', bytes(path)).effect === 'allow';
    const decision = decideCommand(
      image,
      canonicalCommand([bytes(base), ...rest]),
      canonicalCommand([bytes(path), ...rest]),
      writable,
    );
    return decision.source === 'default' && image.launchers.has(base) && !writable ? 'allow' : decision.effect;
  };
  const openBoth = ([commands, files]: [unknown[], unknown[]]): PolicyImage =>
    open(text('shell_exec', commands, [{ action: 'file_write', rules: files }]));

  it('miss no pair of verdicts that a sample shows, and their witnesses are judged as they say', () => {
    fc.assert(
      fc.property(policy, policy, fc.array(command, { minLength: 20, maxLength: 40 }), (one, other, commands) => {
        const [before, after] = [openBoth(one), openBoth(other)];
        const found = compareImages(before, after).differences.filter(({ action }) => action === 'shell_exec');
        const pairs = pairsOf(found);
        for (const [path, args] of commands) {
          const seen = [before, after].map((image) => judge(image, path, args));
          if (seen[0] !== seen[1]) expect([...pairs]).toContain(seen.join(' '));
        }
        for (const { before: b, after: a, witness } of found) {
          if (!('command' in witness)) throw new Error('not a command');
          const [path = '', ...args] = wordsOf(Buffer.from(witness.command).toString('latin1'));
          expect([judge(before, path, args), judge(after, path, args)]).toEqual([b.effect, a.effect]);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('differences of connections', () => {
  const host = fc.constantFrom(
    'a.test',
    '*.a.test',
    'b.a.test',
    '*',
    'localhost',
    '10.0.0.0/8',
    '10.1.0.0/16',
    '127.0.0.1',
  );
  const port = fc.constantFrom('', ':443', ':80-90', ':85-443', ':*');
  const destination = fc.tuple(host, port).map((parts) => parts.join(''));
  const rules = fc.array(ruleWith({ destination }), { maxLength: 5 });
  const v4 = (...parts: number[]) => Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...parts]);
  const target: fc.Arbitrary<Omit<HostRequest, 'port'>> = fc.oneof(
    fc.constantFrom('a.test', 'b.a.test', 'c.b.a.test', 'other.test', 'localhost').map((name) => ({ name })),
    fc.constantFrom(v4(10, 1, 2, 3), v4(10, 2, 0, 0), v4(127, 0, 0, 1), v4(8, 8, 4, 4)).map((address) => ({ address })),
  );
  const request = fc
    .tuple(target, fc.constantFrom(1, 79, 80, 85, 90, 91, 443, 444, 65535))
    .map(([where, at]) => ({ ...where, port: at }));

  it('miss no pair of verdicts that a sample shows, and their witnesses are judged as they say', () => {
    fc.assert(
      fc.property(rules, rules, fc.array(request, { minLength: 20, maxLength: 40 }), (one, other, requests) => {
        const [before, after] = [open(text('network', one)), open(text('network', other))];
        const found = compareImages(before, after).differences;
        const pairs = pairsOf(found);
        for (const asked of requests) {
          const seen = [before, after].map((image) => decideHost(image, asked).effect);
          if (seen[0] !== seen[1]) expect([...pairs]).toContain(seen.join(' '));
        }
        for (const { before: b, after: a, witness } of found) {
          if (!('request' in witness)) throw new Error('not a request');
          expect(decideHost(before, witness.request)).toEqual(b);
          expect(decideHost(after, witness.request)).toEqual(a);
        }
      }),
      { numRuns: 120 },
    );
  });
});

/** The words of a canonical command text. */
function wordsOf(canonical: string): string[] {
  const words: string[] = [];
  for (const [, quoted, plain] of canonical.matchAll(/(?:^| )(?:((?:'[^']*'|\\')+)|([^ ]+))/g)) {
    words.push(plain ?? quoted!.replace(/\\'|'/g, (part) => (part === "'" ? '' : "'")));
  }
  return words;
}
