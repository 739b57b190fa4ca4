import { generateKeyPairSync, sign as signBytes } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { AuditLog } from '../../src/adapters/audit-log/audit-log.ts';
import { fingerprint, noteKeyId, verifyWith } from '../../src/adapters/keys/public-key.ts';
import { openSigningKey, type SigningKey } from '../../src/adapters/keys/signing-key.ts';
import { writeFileAtomic } from '../../src/adapters/process/atomic-file.ts';
import { parseCheckpoint } from '../../src/core/audit/checkpoint.ts';
import { noteOfLine } from '../../src/core/audit/note-line.ts';
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
  /** Before the key was changed, and now. */
  readonly firstKey: SigningKey;
  key: SigningKey;

  private constructor(directory: string, firstKey: SigningKey) {
    this.directory = directory;
    this.early = `${temporaryDirectory()}/early`;
    this.firstKey = firstKey;
    this.key = firstKey;
  }

  /** By a real daemon, which refuses things to runs and changes the key; while it is stopped the same writer goes on in this process. */
  static async of(sandbox: Sandbox): Promise<EvidenceLog> {
    const { audit, auditSettings, config, keys } = sandbox.layout;
    mkdirSync(config, { recursive: true, mode: 0o700 });
    writeFileSync(auditSettings, 'version: 1\nsegments: { size: 4KiB }\nanchors: { journal: off }\n');
    sandbox.write('allowed.txt', 'a');
    sandbox.write('.env', 'TOKEN=x');
    await refuse(sandbox);
    await command(sandbox, 'daemon', 'stop');
    const made = new EvidenceLog(audit, openSigningKey(keys));
    cpSync(audit, made.early, { recursive: true });
    await made.#goOn('/p');
    await refuse(sandbox);
    await command(sandbox, 'audit', 'rotate-key');
    await command(sandbox, 'daemon', 'stop');
    made.key = openSigningKey(keys);
    made.notes.push(...notesOf(sandbox.layout.anchorFile));
    await made.#goOn('/q');
    return made;
  }

  /** Those by a key. */
  notesBy({ keyId }: SigningKey): string[] {
    return this.notes.filter((note) => {
      const { origin, signatures } = parseCheckpoint(note)!;
      return signatures.some((one) => one.keyId === keyId(origin));
    });
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
      now: () => new Date().toISOString(),
      writeAtomic: writeFileAtomic,
      ...more,
    });
  }

  async #goOn(under: string): Promise<void> {
    const checkpointed = (note: string) => this.notes.push(note);
    const log = await this.open(this.directory, this.key, { segmentBytes: 4096, checkpointed });
    for (let round = 0; round < 6; round++) {
      await log.append([
        allowed(`${under}/${round}`),
        refused(`${under}/${round}/.env`),
        allowed('/p/é "\u2028\u0007'),
      ]);
      if (round % 2 === 0) await log.writeCheckpoint();
    }
    await log.close();
  }
}

async function refuse(sandbox: Sandbox): Promise<void> {
  const { stderr } = await sandbox.gatekeeper([
    'run',
    '--',
    'sh',
    '-c',
    'cat allowed.txt .env; cat allowed.txt; cat .env',
  ]);
  if (!stderr.includes('.env')) throw new Error(`nothing was refused: ${stderr}`);
}

async function command(sandbox: Sandbox, ...args: string[]): Promise<void> {
  const { status, stderr } = await sandbox.gatekeeper(args);
  if (status !== 0) throw new Error(`gatekeeper ${args.join(' ')}: ${stderr}`);
}

/** What the daemon gave to the holder that is there on every machine. */
const notesOf = (anchorFile: string): string[] =>
  readFileSync(anchorFile, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => noteOfLine(line.slice(line.indexOf(' ') + 1))!);
