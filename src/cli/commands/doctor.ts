import { fileURLToPath } from 'node:url';
import type { Check } from '../../adapters/doctor/check.ts';
import { hintCheck, liveChecks } from '../../adapters/doctor/live-checks.ts';
import { staticChecks } from '../../adapters/doctor/static-checks.ts';
import { visible } from '../../core/text/visible.ts';
import { auditChecks } from '../audit-checks.ts';
import { ownHome, supervisorPath } from '../home.ts';
import { hookChecks } from '../hook-checks.ts';
import { policyChecks } from '../policy-checks.ts';
import { paint } from '../render/paint.ts';
import { print, printJson } from '../render/print.ts';

export type DoctorOptions = { static?: boolean; json?: boolean };

/** Looks at what enforcement needs, then tries it. Exits 1 when something fails. */
export async function doctor({ static: onlyStatic = false, json = false }: DoctorOptions): Promise<number> {
  const checks: Check[] = [];
  const add = (more: Check[]): void => {
    checks.push(...more);
    if (!json) for (const one of more) print(checkLine(one));
  };
  add(staticChecks({ layout: ownHome(), supervisor: supervisorPath(), uid: process.getuid?.() ?? 0 }));
  add(hookChecks());
  add(await auditChecks());
  if (!onlyStatic) {
    add(await policyChecks());
    const main = fileURLToPath(new URL('../main.js', import.meta.url));
    const run = [process.execPath, main, 'run'];
    add(await liveChecks(run, `doctor-${process.pid}`));
    add([await hintCheck(run, `doctor-${process.pid}-hints`)]);
  }
  const failed = checks.filter(({ ok }) => !ok).length;
  if (json) printJson({ ok: failed === 0, checks });
  else print(failed === 0 ? `${checks.length} checks, all well` : `${checks.length} checks, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

function checkLine({ layer, name, ok, detail, remedy }: Check): string {
  const mark = ok ? paint('green', 'ok  ') : paint('red', 'fail');
  const line = `${mark}  ${paint('dim', layer.padEnd(6))}  ${visible(name)}: ${visible(detail)}`;
  return remedy === undefined ? line : `${line}\n      ${paint('yellow', visible(remedy))}`;
}
