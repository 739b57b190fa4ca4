import { Anchors, holdersOf } from '../adapters/anchors/anchors.ts';
import type { AuditLog } from '../adapters/audit-log/audit-log.ts';
import { keyOfLog } from '../adapters/audit-log/key-of-log.ts';
import { hasEntries } from '../adapters/audit-log/segments.ts';
import { readAuditSettings } from '../adapters/audit-settings/read-settings.ts';
import { addPin, requirePinned } from '../adapters/keys/pins.ts';
import { readPublicKey } from '../adapters/keys/public-key.ts';
import { resumeRotation } from '../adapters/keys/rotation.ts';
import { openSigningKey, type SigningKey } from '../adapters/keys/signing-key.ts';
import type { AuditSettings } from '../core/audit/settings.ts';
import type { HomeLayout } from '../core/contract/home-layout.ts';
import { GatekeeperError } from '../core/errors/gatekeeper-error.ts';
import { AnchoredSize } from './anchored-size.ts';
import { HeldComparison } from './held-comparison.ts';
import { KeyRotation } from './key-rotation.ts';
import { openLog } from './open-log.ts';

export type KeptLogOptions = {
  layout: HomeLayout;
  version: string;
  now: () => string;
  say: (line: string) => void;
  holdsLog: () => boolean;
  /** Hears that the log can be written again. */
  resumed: () => void;
  /** Hears that a file of it was begun, so that those before it are whole. */
  began: () => void;
};

/** The log with the key that signs it and those who hold its checkpoints. */
export class KeptLog {
  readonly log: AuditLog;
  readonly settings: AuditSettings;
  readonly rotation: KeyRotation;
  /** How much of the log those outside hold a checkpoint of, and what they held when it was opened. */
  readonly anchored: AnchoredSize;
  readonly held: HeldComparison;
  readonly #anchors: Anchors;

  private constructor(
    parts: Pick<KeptLog, 'log' | 'settings' | 'rotation' | 'anchored' | 'held'> & { anchors: Anchors },
  ) {
    this.log = parts.log;
    this.settings = parts.settings;
    this.rotation = parts.rotation;
    this.anchored = parts.anchored;
    this.held = parts.held;
    this.#anchors = parts.anchors;
  }

  /** @throws GatekeeperError for settings that cannot be used, a key that is not the pinned one, and a log that cannot be written */
  static async open({ layout, version, now, say, resumed, began, holdsLog }: KeptLogOptions): Promise<KeptLog> {
    const settings = readAuditSettings(layout);
    const isNew = readPublicKey(layout.keys) === undefined;
    const key = openKey(layout, say);
    const held = new HeldComparison({ layout, settings, publicKey: key.publicKey, now, say });
    const anchored = new AnchoredSize();
    const tell = (holder: string, failure: string | undefined) => {
      const text =
        failure === undefined ? `${holder} takes checkpoints again` : `${holder} takes no checkpoints: ${failure}`;
      say(text);
      log.append([{ action: 'note', time: now(), kind: 'anchor', text }], { mayBeLost: true }).catch(() => undefined);
    };
    const anchors = new Anchors({ holders: holdersOf(settings, layout).map((one) => anchored.watch(one)), tell });
    const checkpointed = (note: string) => {
      held.give(note);
      anchors.put(note);
    };
    const findings = isNew || hasEntries(layout.audit) ? [] : await held.former();
    const log: AuditLog = await openLog({
      ...{ directory: layout.audit, key, settings, version, now, resumed, began, holdsLog, checkpointed, findings },
    });
    void held.compare(log);
    const rotation = new KeyRotation({ layout, log, key });
    return new KeptLog({ log, settings, anchors, anchored, held, rotation });
  }

  get fingerprint(): string {
    return this.rotation.key.fingerprint;
  }

  /** Holders that do not take checkpoints now. */
  get anchorFailures(): { holder: string; failure: string }[] {
    return this.#anchors.failures();
  }

  /** Writes what is waiting and a last checkpoint, and gives that to its holders. */
  async close(): Promise<void> {
    await this.log.close().finally(() => this.#anchors.close());
    this.rotation.key.destroy();
  }
}

/** The key that the log is signed with, which is also the pinned one; made at the first start. */
export function openKey({ audit, keys, pinFile }: HomeLayout, say: (line: string) => void): SigningKey {
  const signs = keyOfLog(audit);
  resumeRotation({ directory: keys, pinFile }, signs);
  // Before one is made, which would hide that one was taken away.
  if (readPublicKey(keys) === undefined) requirePinned(pinFile, undefined);
  const key = openSigningKey(keys);
  requirePinned(pinFile, key.fingerprint);
  if (signs !== undefined && signs !== Buffer.from(key.publicKey).toString('base64')) {
    const what = 'the signing key is not the one that the log says signs it';
    throw new GatekeeperError('GK_AUDIT_PIN', { what, where: keys });
  }
  try {
    addPin(pinFile, key.fingerprint);
  } catch (error) {
    say(`the key cannot be pinned: ${error instanceof Error ? error.message : error}`);
  }
  return key;
}
