import { type AnchorLayout, type ReadAnchor, readAnchors } from '../adapters/anchors/anchors.ts';
import type { AuditLog } from '../adapters/audit-log/audit-log.ts';
import { compareHeld, type Finding, formerLogs } from '../adapters/audit-log/held-checkpoints.ts';
import { noteKeyId, verifyWith } from '../adapters/keys/public-key.ts';
import { isSignedBy, parseCheckpoint, type SignedCheckpoint } from '../core/audit/checkpoint.ts';
import type { AuditSettings } from '../core/audit/settings.ts';

export type HeldComparisonOptions = {
  layout: AnchorLayout;
  settings: AuditSettings;
  publicKey: Uint8Array;
  /** RFC 3339, UTC. */
  now: () => string;
  /** A line for the daemon's own log. */
  say: (line: string) => void;
};

/**
 * What others held of the log when it was opened. They are read meanwhile, and compared when they have answered: nobody waits for that but a log without entries,
 * which must not begin as if there had been none before.
 */
export class HeldComparison {
  readonly #options: HeldComparisonOptions;
  readonly #reading: Promise<ReadAnchor[]>;
  readonly #found: Finding[] = [];
  /** What this process gave to the holders, which may come back with what they held before. */
  #given: Set<string> | undefined = new Set();

  constructor(options: HeldComparisonOptions) {
    this.#options = options;
    this.#reading = readAnchors(options.settings, options.layout);
  }

  /** A line each, of what was found and mended, or is wrong. */
  get findings(): string[] {
    return this.#found.map(({ kind, text }) => `${kind}: ${text}`);
  }

  /** A checkpoint goes to the holders. */
  give(note: string): void {
    this.#given?.add(textOf(note));
  }

  /** For a log without entries: those that the key has signed before. */
  async former(): Promise<Finding[]> {
    return formerLogs(await this.#reading, (note) => this.#isOwn(note));
  }

  /** Tells what was found when the log was opened, and records and tells what others know better. Never rejects. */
  async compare(log: Pick<AuditLog, 'opened' | 'append'>): Promise<void> {
    const { layout, now, say } = this.#options;
    this.#tell(log.opened.findings);
    try {
      const held = (await this.#reading).map(({ holder, notes }) => ({
        holder,
        notes: notes.filter((note) => !this.#given?.has(textOf(note))),
      }));
      this.#given = undefined;
      const findings = await compareHeld(layout.audit, log.opened, held, (note) => this.#isOwn(note));
      this.#tell(findings);
      for (const finding of findings) await log.append([{ action: 'recovered', time: now(), ...finding }]);
    } catch (error) {
      say(`the audit log cannot be compared with what others hold of it: ${error}`);
    }
  }

  #tell(findings: readonly Finding[]): void {
    this.#found.push(...findings);
    for (const { kind, text } of findings) this.#options.say(`the audit log: ${kind}: ${text}`);
  }

  #isOwn(note: SignedCheckpoint): boolean {
    const { publicKey } = this.#options;
    return isSignedBy(note, noteKeyId(note.origin, publicKey), verifyWith(publicKey));
  }
}

/** Holders may add signatures of their own. */
const textOf = (note: string) => parseCheckpoint(note)?.text ?? '';
