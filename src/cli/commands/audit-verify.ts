import { type LogVerification, verifyLog } from '../../adapters/audit-log/verify-log.ts';
import { fingerprint, publicKeyFile, readPublicKeyFile, verifyKey } from '../../adapters/keys/public-key.ts';
import { PROBLEMS, type Problem } from '../../core/audit/verify.ts';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { visible } from '../../core/text/visible.ts';
import { auditDirectory } from '../audit-directory.ts';
import { ownHome } from '../home.ts';
import { paint } from '../render/paint.ts';
import { print, printJson } from '../render/print.ts';

export type VerifyOptions = { publicKey?: string; log?: string; json?: boolean };

/** Checks the log with the public key alone; needs no daemon and no private key. Exits 1 when anything does not fit. */
export async function auditVerify({ publicKey, log, json = false }: VerifyOptions): Promise<number> {
  const directory = auditDirectory(log);
  const keyFile = publicKey ?? publicKeyFile(ownHome().keys);
  const key = readPublicKeyFile(keyFile);
  if (!key) throw new GatekeeperError('GK_AUDIT_KEY', { where: keyFile });
  const result = await verifyLog(directory, verifyKey(key));
  if (json) printJson({ ...result, publicKey: fingerprint(key) });
  else print(verificationText(result, fingerprint(key)));
  return result.ok ? 0 : 1;
}

function verificationText(result: LogVerification, key: string): string {
  const { ok, entries, signatures, problems, losses, checkpoint } = result;
  const lines = problems.map(problemLine);
  const head = checkpoint ? `, checkpoint of ${checkpoint.size} by ${visible(checkpoint.origin)}` : '';
  const checked = `${count(entries, 'entry', 'entries')} and ${count(signatures, 'signature', 'signatures')} checked with ${key}${head}`;
  lines.push(
    ok
      ? `${paint('green', 'verified')}: ${checked}`
      : `${paint('red', 'NOT verified')}: ${checked}, ${count(problems.length, 'problem', 'problems')}`,
  );
  if (losses.length > 0)
    lines.push(
      `the log itself tells of losses in ${count(losses.length, 'entry', 'entries')}: ${losses.slice(0, 20).join(', ')}`,
    );
  return lines.join('\n');
}

function problemLine({ kind, seq, line, detail }: Problem): string {
  return `entry ${seq} (line ${line}): ${kind}: ${PROBLEMS[kind]}${detail ? ` (${visible(detail)})` : ''}`;
}

const count = (number: number, one: string, many: string): string => `${number} ${number === 1 ? one : many}`;
