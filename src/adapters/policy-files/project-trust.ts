import { dirname } from 'node:path';
import { PolicyImage } from '../../core/engine/image.ts';
import { compileLayers } from '../../core/policy/compile.ts';
import type { LayeredFile } from '../../core/policy/layers.ts';
import { sha256 } from './digest.ts';
import { type LoadRequest, loadPolicy } from './load-policy.ts';
import { realPath } from './roots.ts';

export type ProjectTrust = {
  /** What would be trusted: the project's file and what it extends in the project, each with exactly this text. */
  files: { path: string; digest: string }[];
  /** Verdicts as if nothing of the project were trusted, and as if all of it were. */
  without: PolicyImage;
  within: PolicyImage;
};

/**
 * What trusting a project's policy would mean there.
 * @param file absolute path of its `.gatekeeper.yaml`
 * @throws GatekeeperError (GK_POLICY_INVALID)
 */
export function projectTrust(file: string, request: Omit<LoadRequest, 'cwd'>): ProjectTrust {
  const { layers, roots } = loadPolicy({ ...request, cwd: dirname(file) });
  const files = layers.flatMap(({ source: { layer, path, digest } }) =>
    layer === 'project' && path !== undefined && digest !== undefined && !path.startsWith('preset:')
      ? [{ path: realPath(path), digest }]
      : [],
  );
  const compiled = (trusted: boolean): PolicyImage => {
    const { image } = compileLayers(withTrust(layers, trusted), roots);
    return PolicyImage.open(image, sha256(image));
  };
  return { files, without: compiled(false), within: compiled(true) };
}

function withTrust(layers: readonly LayeredFile[], trusted: boolean): LayeredFile[] {
  const copies = new Map(
    layers.map((file) => [
      file,
      file.source.layer === 'project' ? { ...file, source: { ...file.source, trusted } } : { ...file },
    ]),
  );
  for (const copy of copies.values())
    copy.ancestors = new Set([...copy.ancestors].map((ancestor) => copies.get(ancestor)!));
  return [...copies.values()];
}
