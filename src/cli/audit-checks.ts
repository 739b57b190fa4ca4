import { existsSync } from 'node:fs';
import { agreements } from '../adapters/anchors/agreement.ts';
import { readAnchors } from '../adapters/anchors/anchors.ts';
import { readAuditSettings } from '../adapters/audit-settings/read-settings.ts';
import { statusIfRunning } from '../adapters/control-client/start-daemon.ts';
import { type Check, check } from '../adapters/doctor/check.ts';
import { asGatekeeperError } from '../core/errors/error-line.ts';
import { ownHome } from './home.ts';

/** Whether the settings of the log can be used, and whether those who hold its checkpoints take them and agree with it. */
export async function auditChecks(): Promise<Check[]> {
  const name = 'checkpoints elsewhere';
  const layout = ownHome();
  try {
    const settings = readAuditSettings(layout);
    const held = await readAnchors(settings, layout);
    const states = existsSync(layout.audit) ? await agreements(layout.audit, held) : [];
    const wrong = states.filter(({ agreement }) => BAD.has(agreement));
    if (wrong.length > 0) {
      const detail = wrong.map(({ holder, agreement, error }) => `${holder}: ${error ?? agreement}`).join('; ');
      return [check('files', name, false, detail, 'see: gatekeeper audit anchors; then: gatekeeper audit verify')];
    }
    const failing = (await statusIfRunning(layout).catch(() => undefined))?.anchorErrors ?? [];
    const detail = failing.map(({ holder, failure }) => `${holder} takes none: ${failure}`).join('; ');
    const remedy = `mend it, or change ${layout.auditSettings} and restart the daemon`;
    return [check('files', name, failing.length === 0, detail || held.map(({ holder }) => holder).join(', '), remedy)];
  } catch (error) {
    const { what, where, remedy } = asGatekeeperError(error);
    return [check('files', name, false, where === '' ? what : `${what} (${where})`, remedy)];
  }
}

const BAD: ReadonlySet<string> = new Set(['ahead', 'differs', 'unsigned', 'unreadable']);
