import { generateKeyPairSync, sign as signBytes } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { AuditLog } from '../../src/adapters/audit-log/audit-log.ts';
import { fingerprint, noteKeyId, verifyWith } from '../../src/adapters/keys/public-key.ts';
import { openSigningKey, type SigningKey } from '../../src/adapters/keys/signing-key.ts';
import { writeFileAtomic } from '../../src/adapters/process/atomic-file.ts';
import type { AuditFields } from '../../src/core/audit/record.ts';
import { LogCopy } from './log-copy.ts';
import type { Sandbox } from './sandbox.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const TIME = '2026-11-21T06:00:00.123Z';
export const allowed = (target: string): AuditFields => ({ action: 'file_read', time: TIME, verdict: 'allow', target });
export const refused = (target: string): AuditFields => ({ action: 'file_read', time: TIME, verdict: 'deny', target });

/** A key of somebody who has none of the log's. */
export function strangersKey() {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const bytes = Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url');
  return {
    publicKey: bytes as Uint8Array,
    fingerprint: fingerprint(bytes),
    keyId: (name: string) => noteKeyId(name, bytes),
    sign: (text: string) => signBytes(null, Buffer.from(text), privateKey).toString('base64'),
  };
}

/** A log with everything that can stand in one, what others hold of it, and how it was before. */
export class EvidenceLog {
  readonly directory: string;
  /** The log and its checkpoint at an earlier time, whole. */
  readonly early: string;
  readonly notes: string[] = [];
  /** Those by the first key. */
  firstNotes: readonly string[] = [];
  readonly firstKey: SigningKey;
  readonly key: SigningKey;

  private constructor(directory: string, firstKey: SigningKey) {
    this.directory = directory;
    this.early = `${temporaryDirectory()}/early`;
    this.firstKey = firstKey;
    this.key = openSigningKey(temporaryDirectory());
  }

  /** Beginning with real runs under a real daemon, which is stopped then: the same writer goes on in this process. */
  static async of(sandbox: Sandbox): Promise<EvidenceLog> {
    mkdirSync(sandbox.layout.config, { recursive: true, mode: 0o700 });
    writeFileSync(sandbox.layout.auditSettings, 'version: 1\nsegments: { size: 4KiB }\nanchors: { journal: off }\n');
    sandbox.write('allowed.txt', 'a');
    sandbox.write('.env', 'TOKEN=x');
    const script = 'cat allowed.txt .env; cat allowed.txt; cat .env; true';
    const run = await sandbox.gatekeeper(['run', '--', 'sh', '-c', script]);
    if (!run.stderr.includes('.env')) throw new Error(`nothing was refused: ${run.stderr}`);
    await sandbox.gatekeeper(['daemon', 'stop']);
    const made = new EvidenceLog(sandbox.layout.audit, openSigningKey(sandbox.layout.keys));
    cpSync(made.directory, made.early, { recursive: true });
    made.notes.push(readFileSync(`${made.directory}/checkpoint`, 'utf8'));
    await made.#goOn();
    return made;
  }

  copy(directory = this.directory): LogCopy {
    return new LogCopy({ anchor: this.notes, pin: this.key.fingerprint }).read(directory);
  }

  /** The log of a directory, as the daemon writes it. */
  open(
    directory: string,
    signer: SigningKey,
    more: Partial<Parameters<typeof AuditLog.open>[0]> = {},
  ): Promise<AuditLog> {
    return AuditLog.open({
      directory,
      signer,
      verify: verifyWith(signer.publicKey),
      now: () => TIME,
      writeAtomic: writeFileAtomic,
      ...more,
    });
  }

  async #goOn(): Promise<void> {
    const checkpointed = (note: string) => this.notes.push(note);
    const log = await this.open(this.directory, this.firstKey, { segmentBytes: 4096, checkpointed });
    for (let round = 0; round < 6; round++) {
      await log.append([allowed(`/p/${round}`), refused(`/p/${round}/.env`), allowed('/p/é "\u2028\u0007')]);
    }
    await log.writeCheckpoint();
    this.firstNotes = [...this.notes];
    await log.changeKey(this.key);
    for (let round = 0; round < 6; round++) {
      await log.append([allowed(`/q/${round}`), refused(`/q/${round}/.env`), allowed('/q')]);
      if (round % 2 === 0) await log.writeCheckpoint();
    }
    await log.close();
  }
}
