import { type CompiledPolicy, compileLayers } from '../../core/policy/compile.ts';
import type { LayeredFile } from '../../core/policy/layers.ts';
import type { PolicyRoots } from '../../core/policy/source.ts';
import { sha256 } from './digest.ts';

/**
 * `compileLayers`, which gives the same image for the same input and is the slow part of starting a run: the last results are kept under
 * everything that goes into one. The image is shared: nobody may change it.
 */
export function compileOnce(layers: readonly LayeredFile[], roots: PolicyRoots): CompiledPolicy {
  const key = keyOf(layers, roots);
  const compiled = kept.get(key) ?? compileLayers(layers, roots);
  kept.delete(key);
  kept.set(key, compiled); // the latest at the end
  if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value!);
  return compiled;
}

function keyOf(layers: readonly LayeredFile[], roots: PolicyRoots): string {
  const files = layers.map((file) => {
    const { name, layer, path, text, digest, trusted } = file.source;
    return [
      name,
      layer,
      trusted ?? false,
      path ?? null,
      digest ?? null,
      sha256(text),
      [...file.ancestors].map((one) => layers.indexOf(one)),
    ];
  });
  const bytes = (_name: string, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value;
  return sha256(JSON.stringify([files, roots], bytes));
}

const kept = new Map<string, CompiledPolicy>();
const MOST_KEPT = 16;
