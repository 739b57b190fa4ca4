import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compileLayers } from '../../../../src/core/policy/compile.ts';
import { KnownAutomata } from '../../../../src/core/policy/known-automata.ts';
import { readLayers } from '../../../../src/core/policy/layers.ts';
import type { PolicySource } from '../../../../src/core/policy/source.ts';
import { ROOTS } from '../../../support/policy.ts';

const shipped = (layer: 'protection' | 'guards' | 'user', name: string): PolicySource => ({
  name,
  layer,
  text: readFileSync(`policies/${name}.yaml`, 'utf8'),
  shipped: true,
});

/** Files of the user's that differ in their rules, their order and what else they say. */
const USERS = [
  'rules: [{ path: "~/notes/**", effect: allow }]',
  'rules: [{ path: "**/*.key", effect: deny }, { path: "~/notes/**", effect: allow }]',
  'rules: [{ path: "~/notes/**", effect: allow, override: true }, { path: "**/*.key", effect: deny }]',
  'defaultEffect: allow\n    rules: [{ path: "~/notes/**", effect: deny }]',
  'rules: [{ path: "~/notes/**", effect: allow }]',
];

const layersOf = (block: string) =>
  readLayers(
    [
      shipped('protection', 'builtin/protection'),
      shipped('guards', 'builtin/guards'),
      {
        name: 'user:policy.yaml',
        layer: 'user',
        text: `version: 1\nname: mine\nextends: [strict]\npolicies:\n  - action: [file_read, file_write]\n    ${block}\n`,
      },
    ],
    () => shipped('user', 'strict'),
  );

describe('automata of earlier compilations', () => {
  it.each([
    ['all of them', undefined],
    ['few of them', 500],
    ['none', 0],
  ])('change nothing in an image when %s are kept', (_name, states) => {
    const known = new KnownAutomata(states);
    for (const block of USERS) {
      const layers = layersOf(block);
      const { image } = compileLayers(layers, ROOTS, known);
      expect(Buffer.from(image).equals(compileLayers(layers, ROOTS).image)).toBe(true);
    }
  });
});
