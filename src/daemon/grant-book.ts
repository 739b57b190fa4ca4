import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { writeFileAtomic } from '../adapters/process/atomic-file.ts';
import { bootMoment } from '../adapters/process/boot-clock.ts';
import type { RuleSaid } from '../core/audit/journal-record.ts';
import type { AuditFields } from '../core/audit/record.ts';
import { redact } from '../core/audit/redact.ts';
import { type Grant, isOver } from '../core/policy/grants.ts';
import type { ImageRule } from './run-policy.ts';

export type GrantBookOptions = {
  /** What is granted now. @throws Error when that is not understood: then nothing is known to have ended either. */
  read: () => Grant[];
  /** Where it is kept what was told, for the next daemon. */
  file: string;
  append: (record: AuditFields) => Promise<unknown>;
  now: () => string;
  say: (line: string) => void;
};

/** Grants as the log knows them: those that stand, and the last of those that do not any more, since receipts of what they allowed may come late. */
export class GrantBook {
  readonly #options: GrantBookOptions;
  readonly #known: Map<string, Grant & { ended?: true }>;
  #work: Promise<void> = Promise.resolve();

  constructor(options: GrantBookOptions) {
    this.#options = options;
    this.#known = new Map(readBook(options.file).map((grant) => [grant.id, grant]));
  }

  /** Records what was granted and what was revoked since the last look. Never rejects: what the log does not take now is told at the next look. */
  look(): Promise<void> {
    this.#work = this.#work.then(() => this.#look()).catch((error) => this.#options.say(`grants: ${error}`));
    return this.#work;
  }

  /** The rule, and who gave it when it is a grant. */
  named(rule: ImageRule | undefined): RuleSaid | undefined {
    if (rule === undefined || !rule.label.startsWith(LABEL)) return rule;
    const id = rule.label.slice(LABEL.length);
    const grant = this.#known.get(id) ?? this.#standing().find((one) => one.id === id);
    return { ...rule, by: { grant: id, approver: grant && nameOf(grant.by), answered: grant?.at } };
  }

  async #look(): Promise<void> {
    const standing = new Map(this.#options.read().map((grant) => [grant.id, grant]));
    let changed = false;
    for (const grant of standing.values()) {
      if (this.#known.get(grant.id)?.ended === undefined && this.#known.has(grant.id)) continue;
      await this.#options.append(this.#entry('grant', grant));
      this.#known.set(grant.id, grant);
      changed = true;
    }
    for (const grant of this.#known.values()) {
      if (grant.ended || standing.has(grant.id)) continue;
      // Of one whose time is over nobody has taken anything back: its entry says until when it held.
      if (!isOver(grant, bootMoment())) await this.#options.append(this.#entry('grant_revoked', grant));
      this.#known.delete(grant.id);
      this.#known.set(grant.id, { ...grant, ended: true });
      changed = true;
    }
    if (changed) this.#keep();
  }

  #standing(): Grant[] {
    try {
      return this.#options.read();
    } catch {
      return [];
    }
  }

  #entry(action: 'grant' | 'grant_revoked', { id, action: what, pattern, scope, at, by }: Grant): AuditFields {
    const { now } = this.#options;
    return {
      action,
      answered: at,
      approver: nameOf(by),
      grant: id,
      kind: what,
      run: 'run' in scope ? scope.run : undefined,
      target: redact(pattern),
      text: 'run' in scope ? 'for a run' : 'until' in scope ? 'for a while' : 'until it is revoked',
      time: now(),
      until: 'until' in scope && action === 'grant' ? endOf(scope.until) : undefined,
    };
  }

  #keep(): void {
    const ended = [...this.#known.values()].filter((grant) => grant.ended);
    for (const { id } of ended.slice(0, -ENDED_KEPT)) this.#known.delete(id);
    writeFileAtomic(this.#options.file, JSON.stringify([...this.#known.values()]));
  }
}

/** Without it what stands is told once more. */
function readBook(file: string): Grant[] {
  try {
    const book: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return Array.isArray(book) ? book.filter((one) => typeof one?.id === 'string') : [];
  } catch {
    return [];
  }
}

/** On the wall clock, as it is now. */
function endOf(bootMs: number): string {
  return new Date(Date.now() + bootMs - bootMoment().ms).toISOString();
}

/** The store is the daemon's own user's, so it is hardly ever another's number. */
function nameOf(uid: number): string {
  try {
    return uid === process.getuid?.() ? userInfo().username : String(uid);
  } catch {
    return String(uid);
  }
}

const LABEL = 'grants:';
const ENDED_KEPT = 512;
