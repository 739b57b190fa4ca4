import type { AuditLog } from '../adapters/audit-log/audit-log.ts';
import { readCheckpointFile } from '../adapters/audit-log/read.ts';
import { verifyWith } from '../adapters/keys/public-key.ts';
import { dropRotation, finishRotation, prepareRotation } from '../adapters/keys/rotation.ts';
import type { SigningKey } from '../adapters/keys/signing-key.ts';
import { isSignedBy, parseCheckpoint } from '../core/audit/checkpoint.ts';
import type { RotateKeyResponse } from '../core/contract/control-api.ts';
import type { HomeLayout } from '../core/contract/home-layout.ts';
import { GatekeeperError } from '../core/errors/gatekeeper-error.ts';

export type KeyRotationOptions = {
  layout: Pick<HomeLayout, 'audit' | 'keys' | 'pinFile'>;
  log: Pick<AuditLog, 'changeKey' | 'failure'>;
  /** That signs now. */
  key: SigningKey;
};

/**
 * Changes the key that signs the log. When it fails before the log names the new key nothing has changed; when it fails later, the next attempt or the next start
 * of the daemon brings it to its end.
 */
export class KeyRotation {
  readonly #options: Omit<KeyRotationOptions, 'key'>;
  #key: SigningKey;
  /** The log names it already; the directory of keys is not in order yet. */
  #unfinished: SigningKey | undefined;
  #busy = false;

  constructor({ key, ...options }: KeyRotationOptions) {
    this.#options = options;
    this.#key = key;
  }

  /** That signs now. */
  get key(): SigningKey {
    return this.#key;
  }

  async rotate(): Promise<RotateKeyResponse> {
    if (this.#busy) throw new GatekeeperError('GK_AUDIT_ROTATE', { what: 'the key is being changed already' });
    const { failure } = this.#options.log;
    if (failure !== undefined) {
      const what = 'the key is not changed while the log cannot be written';
      throw new GatekeeperError('GK_AUDIT_ROTATE', { what, cause: failure });
    }
    this.#busy = true;
    try {
      if (this.#unfinished !== undefined) this.#finish(this.#unfinished);
      return await this.#rotate();
    } finally {
      this.#busy = false;
    }
  }

  async #rotate(): Promise<RotateKeyResponse> {
    const { log } = this.#options;
    const place = this.#place;
    const before = this.#key;
    const fresh = prepareRotation(place);
    try {
      await log.changeKey(fresh);
    } catch (error) {
      fresh.destroy();
      dropRotation(place);
      throw error;
    }
    this.#key = fresh;
    this.#unfinished = fresh;
    before.destroy();
    this.#finish(fresh);
    return { fingerprint: fresh.fingerprint, fingerprintBefore: before.fingerprint };
  }

  /** The old secret goes when a checkpoint by the new key is there, since entries are on the disk before a checkpoint tells of them. */
  #finish(key: SigningKey): void {
    const { audit, keys } = this.#options.layout;
    const note = parseCheckpoint(readCheckpointFile(audit) ?? '');
    if (note === undefined || !isSignedBy(note, key.keyId(note.origin), verifyWith(key.publicKey))) {
      const what = 'the new key signs, but its entry is not known to be on the disk: the old key is kept until then';
      throw new GatekeeperError('GK_AUDIT_ROTATE', { what, where: keys });
    }
    finishRotation(this.#place);
    this.#unfinished = undefined;
  }

  get #place() {
    const { keys, pinFile } = this.#options.layout;
    return { directory: keys, pinFile };
  }
}
