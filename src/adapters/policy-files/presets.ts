import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { PolicyLayer, PolicySource } from '../../core/policy/source.ts';
import { sha256 } from './digest.ts';

/** The policies that come with gatekeeper. Those of ecosystems and agents extend `default`. */
export const PRESETS: readonly string[] = [
  ...['default', 'strict', 'observe', 'readonly', 'ci', 'secret-free', 'home-programs'],
  ...['node', 'python', 'rust', 'go'],
  ...['claude-code', 'codex', 'gemini-cli', 'aider'],
];

export function isPreset(name: string): boolean {
  return PRESETS.includes(name);
}

export function presetPath(name: string): string {
  return `${DIRECTORY}/${name}.yaml`;
}

export function presetSource(name: string, layer: PolicyLayer): PolicySource {
  return shippedSource(presetPath(name), `preset:${name}.yaml`, layer);
}

/** The two built-in layers. */
export function builtInSources(): PolicySource[] {
  return (['protection', 'guards'] as const).map((layer) =>
    shippedSource(`${DIRECTORY}/builtin/${layer}.yaml`, `builtin:${layer}.yaml`, layer),
  );
}

function shippedSource(path: string, name: string, layer: PolicyLayer): PolicySource {
  const text = readFileSync(path, 'utf8');
  return { name, layer, text, path, digest: sha256(text), shipped: true };
}

/** Three rooms up from here lies the package, from the sources as from the build. */
const DIRECTORY = fileURLToPath(new URL('../../../policies', import.meta.url));
