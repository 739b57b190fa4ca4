import type { CompiledPolicy } from '../../core/policy/compile.ts';
import { grantLayers } from '../../core/policy/grant-layer.ts';
import { isInForce, timed } from '../../core/policy/grants.ts';
import type { LayeredFile } from '../../core/policy/layers.ts';
import { PolicyError } from '../../core/policy/policy-error.ts';
import type { PolicyRoots } from '../../core/policy/source.ts';
import { readGrants } from '../grant-store/grant-store.ts';
import { bootMoment } from '../process/boot-clock.ts';
import { compileOnce } from './compile-once.ts';
import { sha256 } from './digest.ts';

/** `endsAt`: when the first of them ends, in milliseconds of CLOCK_BOOTTIME. */
export type GrantsInForce = { layers: LayeredFile[]; endsAt: number | undefined };

export const NOTHING_GRANTED: GrantsInForce = { layers: [], endsAt: undefined };

/** What holds now, for this run or for all. From a store that is not understood nothing does. */
export function grantsInForce(store: string, run: string | undefined, warnings: string[]): GrantsInForce {
  try {
    const now = bootMoment();
    const grants = readGrants(store).filter((grant) => isInForce(grant, now, run));
    const ends = grants.flatMap(({ scope }) => ('until' in scope ? scope.until : []));
    const layers = grantLayers(grants.map(timed)).map((file) => {
      return { ...file, source: { ...file.source, digest: sha256(file.source.text) } };
    });
    return { layers, endsAt: ends.length > 0 ? Math.min(...ends) : undefined };
  } catch (error) {
    warnings.push(`nothing is granted: ${error instanceof Error ? error.message : error}`);
    return NOTHING_GRANTED;
  }
}

/** Those of them that hold, by name; none of a store that is not understood. */
export function namesInForce(store: string, run: string): ReadonlySet<string> {
  try {
    const now = bootMoment();
    const grants = readGrants(store).filter((grant) => isInForce(grant, now, run));
    return new Set(grants.map(({ id }) => id));
  } catch {
    return new Set();
  }
}

/** A policy that compiles must not fail for what was granted: it holds without. */
export function compileWithGrants(
  layers: readonly LayeredFile[],
  granted: GrantsInForce,
  roots: PolicyRoots,
  warnings: string[],
): { all: readonly LayeredFile[]; compiled: CompiledPolicy } {
  const all = [...layers, ...granted.layers];
  try {
    return { all, compiled: compileOnce(all, roots) };
  } catch (error) {
    if (granted.layers.length === 0 || !(error instanceof PolicyError)) throw error;
    const compiled = compileOnce(layers, roots);
    warnings.push(`nothing is granted: with the grants the policy does not compile: ${error.message}`);
    return { all: layers, compiled };
  }
}
