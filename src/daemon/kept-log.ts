import { Anchors, holdersOf } from '../adapters/anchors/anchors.ts';
import type { AuditLog } from '../adapters/audit-log/audit-log.ts';
import { keyOfLog } from '../adapters/audit-log/key-of-log.ts';
import { readCheckpointFile } from '../adapters/audit-log/read.ts';
import { readAuditSettings } from '../adapters/audit-settings/read-settings.ts';
import { addPin, requirePinned } from '../adapters/keys/pins.ts';
import { readPublicKey, verifyWith } from '../adapters/keys/public-key.ts';
import {
  dropRotation,
  finishRotation,
  type KeyPlace,
  prepareRotation,
  resumeRotation,
} from '../adapters/keys/rotation.ts';
import { openSigningKey, type SigningKey } from '../adapters/keys/signing-key.ts';
import { isSignedBy, parseCheckpoint } from '../core/audit/checkpoint.ts';
import type { AuditSettings } from '../core/audit/settings.ts';
import type { RotateKeyResponse } from '../core/contract/control-api.ts';
import type { HomeLayout } from '../core/contract/home-layout.ts';
import { GatekeeperError } from '../core/errors/gatekeeper-error.ts';
import { openLog } from './open-log.ts';

export type KeptLogOptions = {
  layout: HomeLayout;
  version: string;
  now: () => string;
  say: (line: string) => void;
  /** Hears that the log can be written again. */
  resumed: () => void;
};

/** The log with the key that signs it and those who hold its checkpoints. */
export class KeptLog {
  readonly log: AuditLog;
  readonly settings: AuditSettings;
  readonly #options: KeptLogOptions;
  readonly #anchors: Anchors;
  #key: SigningKey;
  /** A change of the key that is in the log and not yet finished in the directory of keys. */
  #unfinished: SigningKey | undefined;
  #rotating = false;

  private constructor(
    options: KeptLogOptions,
    parts: { log: AuditLog; settings: AuditSettings; anchors: Anchors; key: SigningKey },
  ) {
    this.#options = options;
    this.log = parts.log;
    this.settings = parts.settings;
    this.#anchors = parts.anchors;
    this.#key = parts.key;
  }

  /** @throws GatekeeperError for settings that cannot be used, a key that is not the pinned one, and a log that cannot be written */
  static async open(options: KeptLogOptions): Promise<KeptLog> {
    const { layout, version, now, say, resumed } = options;
    const settings = readAuditSettings(layout);
    const key = openKey(options);
    const tell = (holder: string, failure: string | undefined) => {
      const text =
        failure === undefined ? `${holder} takes checkpoints again` : `${holder} takes no checkpoints: ${failure}`;
      say(`anchors: ${text}`);
      log.append([{ action: 'note', time: now(), kind: 'anchor', text }], { mayBeLost: true }).catch(() => undefined);
    };
    const anchors = new Anchors({ holders: holdersOf(settings, layout), tell });
    const checkpointed = (note: string) => anchors.put(note);
    const log: AuditLog = await openLog({
      ...{ directory: layout.audit, key, settings, version, now, resumed, checkpointed },
    });
    return new KeptLog(options, { log, settings, anchors, key });
  }

  get fingerprint(): string {
    return this.#key.fingerprint;
  }

  /** Holders that do not take checkpoints now. */
  get anchorFailures(): { holder: string; failure: string }[] {
    return this.#anchors.failures();
  }

  /**
   * Another key signs from here on; the old secret is destroyed. When it fails before the log names the new key nothing has changed; later, the next start of the
   * daemon brings it to its end.
   */
  async rotateKey(): Promise<RotateKeyResponse> {
    if (this.#rotating) throw new GatekeeperError('GK_AUDIT_ROTATE', { what: 'the key is being changed already' });
    const { failure } = this.log;
    if (failure !== undefined) {
      const what = 'the key is not changed while the log cannot be written';
      throw new GatekeeperError('GK_AUDIT_ROTATE', { what, cause: failure });
    }
    this.#rotating = true;
    try {
      return await this.#rotate();
    } finally {
      this.#rotating = false;
    }
  }

  /** Writes what is waiting and a last checkpoint, and gives that to its holders. */
  async close(): Promise<void> {
    await this.log.close().finally(() => this.#anchors.close());
    this.#key.destroy();
  }

  async #rotate(): Promise<RotateKeyResponse> {
    const place = keyPlace(this.#options.layout);
    if (this.#unfinished !== undefined) this.#finish(this.#unfinished);
    const before = this.#key;
    const fresh = prepareRotation(place);
    try {
      await this.log.changeKey(fresh);
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
    const { layout } = this.#options;
    const note = parseCheckpoint(readCheckpointFile(layout.audit) ?? '');
    const told = note !== undefined && isSignedBy(note, key.keyId(note.origin), verifyWith(key.publicKey));
    if (!told) {
      const what =
        'the new key signs, but the entry that names it is not known to be on the disk; the old key is kept until then';
      throw new GatekeeperError('GK_AUDIT_ROTATE', { what, where: layout.keys });
    }
    finishRotation(keyPlace(layout));
    this.#unfinished = undefined;
  }
}

/** The key that the log is signed with, which is also the pinned one; made at the first start. */
function openKey({ layout, say }: KeptLogOptions): SigningKey {
  const signs = keyOfLog(layout.audit);
  resumeRotation(keyPlace(layout), signs);
  // Before one is made, which would hide that one was taken away.
  if (readPublicKey(layout.keys) === undefined) requirePinned(layout.pinFile, undefined);
  const key = openSigningKey(layout.keys);
  requirePinned(layout.pinFile, key.fingerprint);
  if (signs !== undefined && signs !== Buffer.from(key.publicKey).toString('base64')) {
    throw new GatekeeperError('GK_AUDIT_PIN', {
      what: 'the signing key is not the one that the log says signs it',
      where: layout.keys,
    });
  }
  try {
    addPin(layout.pinFile, key.fingerprint);
  } catch (error) {
    say(`the key cannot be pinned: ${error instanceof Error ? error.message : error}`);
  }
  return key;
}

const keyPlace = ({ keys, pinFile }: HomeLayout): KeyPlace => ({ directory: keys, pinFile });
