import { uptime } from 'node:os';
import { afterAll, describe, expect, it } from 'vitest';
import { decidePath } from '../../../../src/core/engine/decide.ts';
import { explain } from '../../../../src/core/engine/explain.ts';
import { PolicyImage } from '../../../../src/core/engine/image.ts';
import { ImageError } from '../../../../src/core/engine/image-error.ts';
import { moveLoosens } from '../../../../src/core/engine/move.ts';
import type { TimedGrant } from '../../../../src/core/policy/grant-layer.ts';
import { LAYER } from '../../../../src/core/policy/source.ts';
import { DecideTool, hex } from '../../../support/decide-tool.ts';
import { bytes, compileTexts, ROOTS } from '../../../support/policy.ts';

const tool = new DecideTool();
afterAll(() => tool.close());

const POLICY = `version: 1
name: test
policies:
  - action: [file_read, file_write, file_delete]
    rules:
      - { path: "./**", effect: allow }
      - { path: "./asked/**", effect: ask }
      - { path: "/data/**", effect: allow }
`;
const grant = (pattern: string, until = 0): TimedGrant => ({ id: 'g', action: 'file_read', pattern, until });
const compiled = (...grants: TimedGrant[]): Uint8Array =>
  compileTexts([{ layer: 'user', text: POLICY }], ROOTS, undefined, grants).image;

describe('a grant in an image', () => {
  it('ends when the clock says so, in an image that does not change', () => {
    let now = 99;
    const image = PolicyImage.open(compiled(grant('./asked/a', 100)), '', () => now);
    const effect = () => decidePath(image, 'file_read', bytes('/home/u/p/asked/a')).effect;
    expect(effect()).toBe('allow');
    now = 99.99;
    expect(effect()).toBe('allow');
    now = 100;
    expect(effect()).toBe('ask');
  });

  it('has ended for a reader that has no clock, unless it holds for ever', () => {
    const effect = (until: number) =>
      decidePath(PolicyImage.open(compiled(grant('./asked/a', until)), ''), 'file_read', bytes('/home/u/p/asked/a'))
        .effect;
    expect(effect(4_000_000_000)).toBe('ask');
    expect(effect(0)).toBe('allow');
  });

  it('keeps the place of one that ends apart from the place of one that does not', () => {
    for (const grants of [
      [grant('./asked/**', 1), grant('./asked/**')],
      [grant('./asked/**'), grant('./asked/**', 1)],
    ]) {
      const image = compiled(...grants);
      const opened = PolicyImage.open(image, '', uptime);
      expect(decidePath(opened, 'file_read', bytes('/home/u/p/asked/a')).effect).toBe('allow');
      expect(tool.ask(image, [`path file_read ${hex('/home/u/p/asked/a')}`])[0]).toMatch(/^0 /);
    }
  });

  it('is shown with what it answers', () => {
    const image = PolicyImage.open(compiled(grant('./asked/**')), '');
    const { effect, winner, pierced, matching } = explain(image, {
      action: 'file_read',
      path: bytes('/home/u/p/asked/a'),
    });
    expect([effect, winner?.label, pierced?.effect]).toEqual(['allow', 'grants:g', 'ask']);
    expect(matching.map(({ effect, pierced }) => [effect, pierced])).toEqual([
      ['ask', true],
      ['allow', false],
      ['allow', false],
    ]);
  });

  it('widens no floor', () => {
    const floor = (...grants: TimedGrant[]) => PolicyImage.open(compiled(...grants), '').floor;
    expect(floor(grant('/etc/**'))).toEqual(floor());
  });

  const MOVES: [string, string, boolean][] = [
    ['/home/u/p/a', '/home/u/p/b', false],
    ['/home/u/p/asked/a', '/home/u/p/asked/open', true],
    ['/home/u/p/asked/open', '/home/u/p/b', true],
    ['/home/u/p/asked/a', '/home/u/p/asked/b', false],
    // Nothing is asked there; that something was granted changes what is beneath all the same when it ends.
    ['/home/u/p/d', '/home/u/p/given', true],
  ];
  it.each(MOVES)('does not vouch for a directory that is moved: %s to %s', (from, to, loosens) => {
    const image = compiled(grant('./asked/open/**'), grant('./given/**'));
    expect(moveLoosens(PolicyImage.open(image, '', uptime), bytes(from), bytes(to))).toBe(loosens);
    expect(tool.ask(image, [`move ${hex(from)} ${hex(to)}`])).toEqual([loosens ? 'loosens' : 'holds']);
  });

  it('does not free a hierarchy of the rules that ask, nor fill one that nothing speaks of', () => {
    const image = compiled(grant('./asked/**'), grant('/silent/**'));
    const beneath = ['/home/u/p/asked', '/silent', '/data'].map((path) => `beneath file_read ${hex(path)}`);
    expect(tool.ask(image, beneath)).toEqual(['stricter', 'stricter', 'free']);
  });

  it.each<[string, (image: Uint8Array) => void]>([
    ['whose effect is not allow', (image) => ruleOfGrant(image).setUint8(1, 3)],
    ['that overrides', (image) => ruleOfGrant(image).setUint8(2, 1)],
    ['of a file that pierces others', (image) => fileOfGrants(image).setBigUint64(16, 2n, true)],
    ['in a layer of its own making', (image) => fileOfGrants(image).setUint8(8, 7)],
    ['in another layer, and that ends', (image) => fileOfGrants(image).setUint8(8, LAYER.user)],
  ])('is refused by both readers when it is one %s', (_name, damage) => {
    const image = compiled(grant('./asked/a', 4_000_000_000)).slice();
    expect(() => PolicyImage.open(image, '')).not.toThrow();
    expect(tool.ask(image, [`path file_read ${hex('/x')}`])).toHaveLength(1);
    damage(image);
    expect(() => PolicyImage.open(image, '')).toThrow(ImageError);
    expect(() => tool.ask(image, [`path file_read ${hex('/x')}`])).toThrow();
  });
});

/** Sections of docs/policy-image.md whose last item is what the layer of grants added. */
const ruleOfGrant = (image: Uint8Array) => lastItem(image, 3, 48);
const fileOfGrants = (image: Uint8Array) => lastItem(image, 2, 32);

function lastItem(image: Uint8Array, section: number, size: number): DataView {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const entry = 32 + 16 * (section - 1);
  const end = view.getUint32(entry + 4, true) + view.getUint32(entry + 8, true);
  return new DataView(image.buffer, image.byteOffset + end - size, size);
}
