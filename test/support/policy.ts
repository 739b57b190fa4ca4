import { canonicalRequestPath } from '../../src/core/egress/request-path.ts';
import { canonicalCommand } from '../../src/core/engine/command-text.ts';
import {
  decideCommand,
  decideHost,
  decidePath,
  type HostRequest,
  type PathAction,
} from '../../src/core/engine/decide.ts';
import { PolicyImage } from '../../src/core/engine/image.ts';
import type { Decision } from '../../src/core/engine/precedence.ts';
import { type CompiledPolicy, compileLayers } from '../../src/core/policy/compile.ts';
import { grantLayers, type TimedGrant } from '../../src/core/policy/grant-layer.ts';
import { readLayers } from '../../src/core/policy/layers.ts';
import type { PolicyRoots, PolicySource, ResolveExtends } from '../../src/core/policy/source.ts';

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const same = (path: string) => ({ lexical: bytes(path), real: bytes(path) });

/** A user with a project; everything that a built-in file may name. */
export const ROOTS: PolicyRoots = {
  home: same('/home/u'),
  workspace: same('/home/u/p'),
  tmp: same('/tmp'),
  places: {
    gatekeeper_config: [bytes('/home/u/.config/gatekeeper')],
    gatekeeper_state: [bytes('/home/u/.local/state/gatekeeper')],
    gatekeeper_runtime: [bytes('/run/user/1000/gatekeeper')],
    gatekeeper_caches: [bytes('/home/u/.cache/gatekeeper')],
    gatekeeper_system: [bytes('/etc/gatekeeper')],
    gatekeeper_program: [
      bytes('/usr/lib/node_modules/gatekeeper/dist'),
      bytes('/home/u/p/node_modules/gatekeeper/dist'),
    ],
    gatekeeper_units: [bytes('/home/u/.config/systemd/user'), bytes('/etc/systemd/system')],
    gatekeeper_policies: [bytes('/home/u/p/.gatekeeper.yaml')],
    gatekeeper_anchors: [bytes('/mnt/anchors/gatekeeper')],
    gatekeeper_anchor_programs: [bytes('/usr/local/bin/keep-checkpoint')],
  },
};

const EMPTY: readonly PolicySource[] = (['protection', 'guards'] as const).map((layer) => ({
  name: `builtin:${layer}.yaml`,
  layer,
  text: `version: 1\nname: ${layer}\n`,
}));

export type SourceText = Pick<PolicySource, 'layer' | 'text' | 'shipped'> & { name?: string };

/** Compiles files over empty built-in layers, unless they hold their own. */
export function compileTexts(
  texts: readonly SourceText[],
  roots = ROOTS,
  resolve: ResolveExtends = () => null,
  grants: readonly TimedGrant[] = [],
): CompiledPolicy {
  const sources = texts.map((source, index) => ({ name: `${source.layer}:${index}.yaml`, ...source }));
  const builtIn = EMPTY.filter(({ layer }) => !sources.some((source) => source.layer === layer));
  return compileLayers([...readLayers([...builtIn, ...sources], resolve), ...grantLayers(grants)], roots);
}

/** An image of one user policy, given as the lines below `policies:`. */
export function imageOf(policies: string, roots = ROOTS): PolicyImage {
  return openTexts([{ layer: 'user', text: `version: 1\nname: test\npolicies:\n${policies}` }], roots);
}

export function openTexts(texts: readonly SourceText[], roots = ROOTS, resolve?: ResolveExtends): PolicyImage {
  return PolicyImage.open(compileTexts(texts, roots, resolve).image, '');
}

/** A request as vectors and cases write it. */
export type WrittenRequest = {
  action: string;
  path?: string;
  /** Words of the canonical command; the first is the program's full path. */
  command?: string[];
  writable?: boolean;
  name?: string;
  /** Hex of 16 bytes. */
  address?: string;
  port?: number;
  /** Of plain HTTP; the path as the client writes it. */
  method?: string;
  requestPath?: string;
};

export function decideWritten(image: PolicyImage, request: WrittenRequest): Decision {
  if (request.command) {
    const { base, path } = commandTexts(request.command);
    return decideCommand(image, base, path, request.writable ?? false);
  }
  if (request.path !== undefined) return decidePath(image, request.action as PathAction, bytes(request.path));
  const host: HostRequest = { port: request.port ?? 0 };
  if (request.name !== undefined) host.name = request.name;
  if (request.address !== undefined) host.address = Uint8Array.from(Buffer.from(request.address, 'hex'));
  if (request.method !== undefined)
    host.request = { method: request.method, path: canonicalRequestPath(request.requestPath ?? '') };
  return decideHost(image, host);
}

export function commandTexts([program = '', ...args]: readonly string[]): { base: Uint8Array; path: Uint8Array } {
  const rest = args.map(bytes);
  const base = program.slice(program.lastIndexOf('/') + 1);
  return { base: canonicalCommand([bytes(base), ...rest]), path: canonicalCommand([bytes(program), ...rest]) };
}
