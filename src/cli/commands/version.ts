import { statusIfRunning } from '../../adapters/control-client/start-daemon.ts';
import { VERSION } from '../../core/version.ts';
import { ownHome } from '../home.ts';
import { print, printJson } from '../render/print.ts';

/** Prints the version, and names a daemon of another one, which should be restarted. */
export async function version({ json = false }: { json?: boolean }): Promise<number> {
  const daemon = await statusIfRunning(ownHome()).catch(() => undefined);
  if (json) printJson({ version: VERSION, daemon: daemon?.version ?? null, node: process.versions.node });
  else print(`gatekeeper ${VERSION}`);
  if (!json && daemon && daemon.version !== VERSION) {
    print(`the daemon is ${daemon.version}; restart it: gatekeeper daemon stop && gatekeeper daemon start`);
  }
  return 0;
}
