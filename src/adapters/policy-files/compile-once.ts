import { type CompiledPolicy, compileLayers } from '../../core/policy/compile.ts';
import type { PolicyDocument } from '../../core/policy/document.ts';
import { KnownAutomata } from '../../core/policy/known-automata.ts';
import type { LayeredFile, ParsePolicy } from '../../core/policy/layers.ts';
import { parsePolicy } from '../../core/policy/parse.ts';
import type { PolicyRoots } from '../../core/policy/source.ts';
import { sha256 } from './digest.ts';

/** `parsePolicy` for files that mostly did not change since they were last read. */
export const parseOnce: ParsePolicy = (source) => {
  const { name, layer, path, text } = source;
  const key = sha256(JSON.stringify([name, layer, path ?? null, text]));
  return remember(documents, key, MOST_DOCUMENTS, () => parsePolicy(source));
};

/**
 * `compileLayers`, which gives the same image for the same input and is the slow part of starting a run: the last results are kept under
 * everything that goes into one. The image is shared: nobody may change it.
 */
export function compileOnce(layers: readonly LayeredFile[], roots: PolicyRoots): CompiledPolicy {
  return remember(images, keyOf(layers, roots), MOST_IMAGES, () => compileLayers(layers, roots, automata));
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

function remember<T>(known: Map<string, T>, key: string, most: number, make: () => T): T {
  const value = known.get(key) ?? make();
  known.delete(key);
  known.set(key, value); // the latest at the end
  if (known.size > most) known.delete(known.keys().next().value!);
  return value;
}

const images = new Map<string, CompiledPolicy>();
const MOST_IMAGES = 16;
const documents = new Map<string, PolicyDocument>();
const MOST_DOCUMENTS = 64;
/** A few workspaces' worth: those of the presets have some ten thousand states, of about a hundred bytes each. */
const automata = new KnownAutomata(400_000);
