import { requestControl } from '../../adapters/control-client/request.ts';
import { API, type RotateKeyResponse } from '../../core/contract/control-api.ts';
import { ownHome } from '../home.ts';
import { print, printJson } from '../render/print.ts';

/** The daemon changes its key: it alone has the secret. */
export async function auditRotateKey({ json = false }: { json?: boolean }): Promise<number> {
  const layout = ownHome();
  const changed = await requestControl<RotateKeyResponse>(layout, API.rotateKey, { body: {} });
  if (json) printJson(changed);
  else {
    print(`the log is signed by another key from here on: ${changed.fingerprint}`);
    print(`before: ${changed.fingerprintBefore}`);
    print(`both are pinned in ${layout.pinFile}; keep the new one where others can find it`);
  }
  return 0;
}
