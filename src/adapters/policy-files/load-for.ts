import { homeLayout } from '../../core/contract/home-layout.ts';
import { PolicyImage } from '../../core/engine/image.ts';
import { compileOnce } from './compile-once.ts';
import { readPolicyLayers } from './load-policy.ts';
import { resolveRoots } from './roots.ts';

/**
 * A policy over the built-in layers alone, for a user who need not exist: what it says is the same on every machine.
 * @param policy name of a preset, or absolute path of a file
 * @param uid who may own the file
 * @throws GatekeeperError (GK_POLICY_INVALID, GK_POLICY_NOT_FOUND)
 */
export function loadFor(request: { policy: string; uid: number; home: string; workspace: string }): PolicyImage {
  const { policy, uid, home, workspace } = request;
  const layout = homeLayout({ passwdHome: home, uid: 1000, env: { XDG_RUNTIME_DIR: '/run/user/1000' } });
  const layers = readPolicyLayers({ layout, passwdHome: home, uid, cwd: '/', policy });
  const taking = layers.filter(
    ({ source: { layer } }) => layer === 'protection' || layer === 'guards' || layer === 'user',
  );
  const roots = resolveRoots(layout, home, workspace, [`${workspace}/.gatekeeper.yaml`]);
  // As if gatekeeper were installed in the workspace, which protection has to stand.
  const program = `${workspace}/node_modules/gatekeeper/dist`;
  const places = { ...roots.places, gatekeeper_program: [new TextEncoder().encode(program)] };
  return PolicyImage.open(compileOnce(taking, { ...roots, places }).image, '');
}
