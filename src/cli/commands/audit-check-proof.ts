import { readSmallFile } from '../../adapters/audit-log/line-reader.ts';
import { isSignedByKey } from '../../adapters/audit-log/prove.ts';
import { treeHasher } from '../../adapters/audit-log/tree-hasher.ts';
import { fingerprint } from '../../adapters/keys/public-key.ts';
import { whatIsWrong } from '../../core/audit/check-proof.ts';
import { type EntryProof, type GrowthProof, parseProof } from '../../core/audit/proof.ts';
import type { AuditRecord } from '../../core/audit/record.ts';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { visible } from '../../core/text/visible.ts';
import { type TrustOptions, trustOf } from '../audit-trust.ts';
import { paint } from '../render/paint.ts';
import { print, printJson } from '../render/print.ts';
import { receiptText } from '../render/receipt.ts';

/** Checks a proof with nothing but the public key. Exits 1 when it does not hold. */
export async function auditCheckProof(file: string, options: TrustOptions & { json?: boolean }): Promise<number> {
  const trust = trustOf(options, false);
  const proof = readProof(file);
  const wrong = whatIsWrong(proof, {
    hasher: treeHasher,
    isSignedBy: isSignedByKey,
    trusts: (key) => trust.trusts(Buffer.from(key, 'base64')),
  });
  const key = fingerprint(Buffer.from(proof.key, 'base64'));
  if (options.json) printJson({ ok: wrong === undefined, wrong, key, ...contents(proof) });
  else if (wrong === undefined) print(provedText(proof, key));
  else print(`${paint('red', 'NOT proved')}: ${wrong}\n  in it    ${key}\n  trusted  ${visible(trust.by)}`);
  return wrong === undefined ? 0 : 1;
}

function readProof(file: string): EntryProof | GrowthProof {
  let text: string | undefined;
  try {
    text = readSmallFile(file, LONGEST_PROOF)?.toString();
  } catch (cause) {
    throw new GatekeeperError('GK_USAGE', {
      ...{ what: 'the proof cannot be read', where: file, cause },
      remedy: 'name a file that gatekeeper audit prove wrote',
    });
  }
  const proof = text === undefined ? undefined : parseProof(text);
  if (proof === undefined)
    throw new GatekeeperError('GK_AUDIT_PROOF', {
      ...{ what: 'the file is not a proof', where: file },
      remedy: 'name a file that gatekeeper audit prove wrote',
    });
  return proof;
}

function contents(proof: EntryProof | GrowthProof) {
  const told = ({ origin, size, root }: EntryProof['checkpoint']) => ({ origin, size, root });
  return proof.kind === 'entry'
    ? { entry: recordOf(proof), checkpoint: told(proof.checkpoint) }
    : { from: told(proof.old), checkpoint: told(proof.checkpoint) };
}

function provedText(proof: EntryProof | GrowthProof, key: string): string {
  const { size, origin } = proof.checkpoint;
  const by = `signed by ${key}`;
  if (proof.kind === 'growth') {
    return `${paint('green', 'proved')}: the ${size} entries of ${visible(origin)} begin with the ${proof.old.size} of the earlier checkpoint, ${by}`;
  }
  const heading = `${paint('green', 'proved')}: this is entry ${proof.index + 1} of the ${size} of ${visible(origin)}, ${by}`;
  return `${heading}\n\n${receiptText(recordOf(proof)!)}`;
}

/** What was proved is JSON, since its number was read from it. */
function recordOf({ line }: EntryProof): AuditRecord | undefined {
  try {
    return JSON.parse(Buffer.from(line).toString()) as AuditRecord;
  } catch {
    return undefined;
  }
}

/** The longest entry in base64, and the rest. */
const LONGEST_PROOF = 2 * 1024 * 1024;
