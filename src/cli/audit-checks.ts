import { existsSync } from 'node:fs';
import { agreements, isTrouble } from '../adapters/anchors/agreement.ts';
import { readAnchors } from '../adapters/anchors/anchors.ts';
import { readAuditSettings } from '../adapters/audit-settings/read-settings.ts';
import { statusIfRunning } from '../adapters/control-client/start-daemon.ts';
import { type Check, check } from '../adapters/doctor/check.ts';
import { asGatekeeperError } from '../core/errors/error-line.ts';
import { ownHome } from './home.ts';
import { auditTrouble } from './render/audit-trouble.ts';

/** Whether the log can be written, its settings can be used, and those who hold its checkpoints take them and agree with it. */
export async function auditChecks(): Promise<Check[]> {
  return [await writable(), ...(await held())];
}

/** Only its daemon knows. */
async function writable(): Promise<Check> {
  const status = await statusIfRunning(ownHome()).catch(() => undefined);
  const trouble = status && auditTrouble({ ...status, auditRemedy: undefined });
  const detail = status === undefined ? 'no daemon runs' : `onFailure is ${status.auditOnFailure}`;
  return check('files', 'audit log', trouble === undefined, trouble ?? detail, status?.auditRemedy ?? '');
}

async function held(): Promise<Check[]> {
  const name = 'checkpoints elsewhere';
  const layout = ownHome();
  try {
    const settings = readAuditSettings(layout);
    const holders = await readAnchors(settings, layout);
    const states = existsSync(layout.audit) ? await agreements(layout.audit, holders) : [];
    const wrong = states.filter((state) => isTrouble(state, settings));
    if (wrong.length > 0) {
      const detail = wrong.map(({ holder, agreement, error }) => `${holder}: ${error ?? agreement}`).join('; ');
      return [check('files', name, false, detail, 'see: gatekeeper audit anchors; then: gatekeeper audit verify')];
    }
    const failing = (await statusIfRunning(layout).catch(() => undefined))?.anchorErrors ?? [];
    const detail = failing.map(({ holder, failure }) => `${holder} takes none: ${failure}`).join('; ');
    const remedy = `mend it, or change ${layout.auditSettings} and restart the daemon`;
    return [
      check('files', name, failing.length === 0, detail || holders.map(({ holder }) => holder).join(', '), remedy),
    ];
  } catch (error) {
    const { what, where, remedy } = asGatekeeperError(error);
    return [check('files', name, false, where === '' ? what : `${what} (${where})`, remedy)];
  }
}
