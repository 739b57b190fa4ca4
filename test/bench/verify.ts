import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AuditLog } from '../../src/adapters/audit-log/audit-log.ts';
import type * as Verifying from '../../src/adapters/audit-log/verify-log.ts';
import { verifyKey, verifyWith } from '../../src/adapters/keys/public-key.ts';
import { openSigningKey } from '../../src/adapters/keys/signing-key.ts';
import { writeFileAtomic } from '../../src/adapters/process/atomic-file.ts';
import { receipt } from './evidence.ts';

export type VerifyFigures = { what: string; entries: number; threads: string; perSecond: number };

/** How fast the built verifier reads logs of receipts as runs leave them: with threads for its files, and in one thread. */
export async function measureVerify(entries = 1_000_000, denials = 25_000): Promise<VerifyFigures[]> {
  const figures: VerifyFigures[] = [];
  for (const [what, count, every] of [
    ['one denial in a hundred', entries, 100],
    ['denials only', denials, 1],
  ] as const) {
    const directory = mkdtempSync(join(tmpdir(), 'gk-verify-'));
    try {
      const key = await makeLog(directory, count, every);
      for (const threads of [undefined, 0]) figures.push(await verifyOnce(directory, key, what, threads));
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }
  return figures;
}

/** A log of that many receipts, one in `every` a denial. Returns the public key. */
export async function makeLog(directory: string, count: number, every: number, segmentBytes = 16 * 2 ** 20) {
  const signer = openSigningKey(directory);
  const verify = verifyWith(signer.publicKey);
  const now = () => new Date().toISOString();
  const log = await AuditLog.open({ directory, signer, verify, now, writeAtomic: writeFileAtomic, segmentBytes });
  for (let at = 0; at < count; at += BATCH) {
    const length = Math.min(BATCH, count - at);
    await log.append(Array.from({ length }, (_, i) => receipt(at + i, (at + i) % every === 0 ? 'deny' : 'allow')));
  }
  await log.close();
  return signer.publicKey;
}

async function verifyOnce(directory: string, key: Uint8Array, what: string, threads: number | undefined) {
  const { verifyLog } = (await import(BUILT)) as typeof Verifying;
  const began = performance.now();
  const { ok, entries } = await verifyLog(directory, verifyKey(key), threads === undefined ? {} : { threads });
  if (!ok) throw new Error(`the log of ${what} does not verify`);
  const perSecond = Math.round(entries / ((performance.now() - began) / 1000));
  return { what, entries, threads: threads === 0 ? 'one thread' : 'as it is', perSecond };
}

/** Threads are started from the built files, as they are for users. */
const BUILT = new URL('../../dist/adapters/audit-log/verify-log.js', import.meta.url).href;
const BATCH = 256;

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [directory, count = '1000000', every = '100'] = process.argv.slice(2);
  if (directory === undefined) console.table(await measureVerify());
  else await makeLog(directory, Number(count), Number(every));
}
