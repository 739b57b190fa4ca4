import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PRESETS, presetSource } from '../../src/adapters/policy-files/presets.ts';
import { failuresOf, parseCases } from '../../src/core/analysis/cases.ts';
import { PolicyImage } from '../../src/core/engine/image.ts';
import { compileTexts, ROOTS } from '../support/policy.ts';

const page = readFileSync('docs/policy.md', 'utf8');
const examples = [...page.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map((match) => ({
  text: match[1]!,
  line: page.slice(0, match.index).split('\n').length + 1,
}));
const isCases = ({ text }: { text: string }) => text.startsWith('cases:');
const policies = examples.filter((example) => !isCases(example));
const builtIn = (layer: 'protection' | 'guards') => ({
  layer,
  name: `builtin:${layer}.yaml`,
  text: readFileSync(`policies/builtin/${layer}.yaml`, 'utf8'),
});
const compile = (text: string) =>
  compileTexts(
    [builtIn('protection'), builtIn('guards'), { layer: 'user', name: 'user:policy.yaml', text }],
    ROOTS,
    (reference) => (PRESETS.includes(reference) ? presetSource(reference, 'user') : null),
  );

describe('the page on policies', () => {
  it.each(policies)('shows a policy in line $line that compiles without a warning', ({ text }) => {
    expect(compile(text).warnings).toEqual([]);
  });

  it.each(examples.filter(isCases))('tells in line $line what the policy above it does', ({ text, line }) => {
    const policy = policies.findLast((example) => example.line < line)!;
    const image = PolicyImage.open(compile(policy.text).image, '');
    const { cases } = parseCases('docs/policy.md', text);
    expect(cases.length).toBeGreaterThan(2);
    expect(
      cases.flatMap((row) => failuresOf(row, image, row.decide(image)).map((why) => `line ${line + row.line}: ${why}`)),
    ).toEqual([]);
  });

  it('has a table of the presets, and of no others', () => {
    const section = page.split('## Presets\n')[1]!.split('\n## ')[0]!;
    expect([...section.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name]) => name)).toEqual([...PRESETS]);
  });

  it('names the hosts that the presets of ecosystems open', () => {
    for (const name of ['node', 'python', 'rust', 'go']) {
      const opened = [...presetSource(name, 'user').text.matchAll(/"([a-z0-9.-]+):443"/g)].map(([, host]) => host);
      expect(page).toContain(`| \`${name}\` | ${opened.join(', ')}`);
    }
  });
});
