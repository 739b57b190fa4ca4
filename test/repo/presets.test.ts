import { describe, expect, it } from 'vitest';
import { PRESETS } from '../../src/adapters/policy-files/presets.ts';
import { parsePolicy } from '../../src/core/policy/parse.ts';
import { projectFiles, readText } from './project-files.ts';

const shipped = projectFiles('policies');

describe('policies that come with gatekeeper', () => {
  it('are the presets, their cases, and the two built-in layers', () => {
    const policies = shipped.filter((path) => /^policies\/(builtin\/)?[a-z-]+\.yaml$/.test(path));
    const wanted = [
      ...PRESETS.map((name) => `policies/${name}.yaml`),
      'policies/builtin/guards.yaml',
      'policies/builtin/protection.yaml',
    ];
    expect(policies.sort()).toEqual(wanted.sort());
  });

  it.each([...PRESETS])('%s is valid, and is called by its file name', (name) => {
    const text = readText(`policies/${name}.yaml`);
    expect(parsePolicy({ name: `preset:${name}.yaml`, layer: 'user', text }).name).toBe(name);
  });

  it.each([...PRESETS])('%s has cases', (name) => {
    expect(
      shipped.filter(
        (path) => new RegExp(`(^|/)${name}[^/]*cases`).test(path) || path.startsWith(`policies/cases/${name}`),
      ),
    ).not.toEqual([]);
  });
});
