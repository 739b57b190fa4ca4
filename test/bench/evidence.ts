import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AuditLog } from '../../src/adapters/audit-log/audit-log.ts';
import { verifyWith } from '../../src/adapters/keys/public-key.ts';
import { openSigningKey } from '../../src/adapters/keys/signing-key.ts';
import { writeFileAtomic } from '../../src/adapters/process/atomic-file.ts';
import type { AuditFields } from '../../src/core/audit/record.ts';

export type AppendFigures = { what: string; batch: number; perSecond: number };

/** Receipts as runs leave them: what they are about differs, the rest mostly does not. */
export const receipt = (at: number, verdict: 'allow' | 'deny'): AuditFields => ({
  action: 'file_read',
  agent: 'claude',
  n: at,
  pid: 4711,
  policy: `sha256:${'5c0ffee5'.repeat(8)}`,
  program: '/usr/bin/node',
  reason: 'files of the workspace',
  rule: `user:policy.yaml#${at % 40}`,
  run: '01jd4m5t3vq8r6w2x9y0z1a2b3',
  source: 'rule',
  syscall: 'openat',
  target: `/home/someone/project/packages/part-${at % 100}/src/module-${at}.ts`,
  tid: 4712,
  time: '2026-11-21T06:00:00.123Z',
  verdict,
});

const MIXES: Readonly<Record<string, (at: number) => AuditFields>> = {
  allows: (at) => receipt(at, 'allow'),
  'one denial in ten': (at) => receipt(at, at % 10 === 0 ? 'deny' : 'allow'),
  'denials only': (at) => receipt(at, 'deny'),
};

/** Appends a second, each awaited as a whole batch before the next one begins, and bytes of log an entry. */
export async function measureAppends(): Promise<{ appends: AppendFigures[]; bytesPerEntry: number }> {
  const appends: AppendFigures[] = [];
  let bytesPerEntry = 0;
  for (const [what, make] of Object.entries(MIXES)) {
    for (const batch of [1, 16, 256]) {
      const directory = mkdtempSync(join(tmpdir(), 'gk-evidence-'));
      try {
        appends.push({ what, batch, perSecond: await appendFor(directory, make, batch) });
        bytesPerEntry = bytesOfEntry(directory);
      } finally {
        rmSync(directory, { recursive: true, force: true });
      }
    }
  }
  return { appends, bytesPerEntry };
}

async function appendFor(directory: string, make: (at: number) => AuditFields, batch: number): Promise<number> {
  const signer = openSigningKey(directory);
  const verify = verifyWith(signer.publicKey);
  const now = () => new Date().toISOString();
  const log = await AuditLog.open({ directory, signer, verify, now, writeAtomic: writeFileAtomic });
  let at = 0;
  const append = () => log.append(Array.from({ length: batch }, () => make(++at)));
  for (const warm = performance.now(); performance.now() - warm < WARM_MS; ) await append();
  const before = at;
  const began = performance.now();
  while (performance.now() - began < MEASURE_MS) await append();
  const perSecond = ((at - before) / (performance.now() - began)) * 1000;
  await log.close();
  return Math.round(perSecond);
}

function bytesOfEntry(directory: string): number {
  const files = readdirSync(directory).filter((name) => name.endsWith('.jsonl'));
  const bytes = files.reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
  const lines = files.reduce(
    (sum, name) => sum + readFileSync(join(directory, name)).filter((b) => b === 10).length,
    0,
  );
  return Math.round(bytes / lines);
}

const WARM_MS = 200;
const MEASURE_MS = 700;
