import type { AuditLog } from '../adapters/audit-log/audit-log.ts';
import { type JournalFinding, readJournal, removeSegments } from '../adapters/supervisor/journal-reader.ts';
import { coalesce } from '../core/audit/coalesce.ts';
import { imageName, journalRecord, type RunContext } from '../core/audit/journal-record.ts';
import type { AuditFields } from '../core/audit/record.ts';
import type { Frame } from '../core/wire/frame.ts';
import type { Run } from './run.ts';
import type { RunStore } from './run-store.ts';

export type JournalDrainOptions = {
  log: Pick<AuditLog, 'append'>;
  store: RunStore;
  rule: (policy: string, index: number) => ReturnType<RunContext['rule']>;
  now: () => string;
  /** The log does not take anything now; supervisors hear nothing until it does, and deny when their journals are full. */
  onFailure: (error: unknown) => void;
};

/** Moves what supervisors wrote into the chain, run by run, each record once. */
export class JournalDrain {
  readonly #options: JournalDrainOptions;
  readonly #busy = new Map<string, Promise<void>>();
  readonly #scheduled = new Map<string, NodeJS.Timeout>();
  /** Runs whose last drain found much: theirs are gathered for longer, since each drain costs as much as dozens of records. */
  readonly #streaming = new WeakSet<Run>();

  constructor(options: JournalDrainOptions) {
    this.#options = options;
  }

  /** The journal has grown. Kicks of a short while are served together; each is answered with DRAINED when its records are safe. */
  kick(run: Run, delayMs = this.#streaming.has(run) ? GATHER_STREAM_MS : GATHER_MS): void {
    const { id } = run.record;
    if (this.#scheduled.has(id)) return;
    const timer = setTimeout(async () => {
      this.#scheduled.delete(id);
      try {
        await this.drain(run);
        const { segment, offset } = run.record.position;
        run.supervisor?.send('DRAINED', { SEGMENT: segment, OFFSET: offset });
      } catch (error) {
        this.#options.onFailure(error);
        if (!run.ending) this.kick(run, RETRY_MS);
      }
    }, delayMs);
    this.#scheduled.set(id, timer);
  }

  /** Takes everything that is in the journal now. Rejects when the log does not take it; nothing is lost by that. */
  async drain(run: Run, final = false): Promise<void> {
    const { id } = run.record;
    const before = this.#busy.get(id) ?? Promise.resolve();
    const mine = before.catch(() => undefined).then(() => this.#drainNow(run, final));
    this.#busy.set(id, mine);
    try {
      await mine;
    } finally {
      if (this.#busy.get(id) === mine) this.#busy.delete(id);
    }
  }

  /**
   * The supervisor judges by another image from now on. Records say so themselves; for one that does not, the image in force is taken to be the one
   * that was when it was drained.
   */
  imageTaken(run: Run, policy: string): void {
    this.drain(run).then(
      () => {
        run.record.journalPolicy = policy;
      },
      (error) => this.#options.onFailure(error),
    );
  }

  /** Waits for scheduled work; afterwards nothing is scheduled any more. */
  async settle(runs: Iterable<Run>): Promise<void> {
    for (const timer of this.#scheduled.values()) clearTimeout(timer);
    this.#scheduled.clear();
    await Promise.allSettled([...runs].map((run) => this.drain(run)));
  }

  async #drainNow(run: Run, final: boolean): Promise<void> {
    const { store, log } = this.#options;
    const directory = store.directory(run.record.id);
    let drained = 0;
    for (;;) {
      const { position } = run.record;
      const batch = readJournal(directory, run.record.id, position, final);
      const { records, policy } = this.#receipts(run, batch.items);
      if (records.length > 0) {
        const head = await log.append(records, { ending: final });
        for (const record of records) applyReceipt(run, record);
        run.record.auditSeq = Math.max(run.record.auditSeq, head.seq);
      }
      run.record.position = batch.position;
      run.record.journalPolicy = policy;
      if (batch.position.segment > position.segment) {
        this.#save(run);
        removeSegments(directory, batch.position.segment);
      }
      drained += batch.items.length;
      if (batch.items.length === 0) break;
    }
    if (drained >= STREAM_RECORDS) this.#streaming.add(run);
    else this.#streaming.delete(run);
  }

  /** On a full disk it is the removal of what was drained that makes room: whoever reads on without this finds the next segment that is there. */
  #save(run: Run): void {
    try {
      this.#options.store.save(run.record);
    } catch (error) {
      this.#options.onFailure(error);
    }
  }

  /** The policy in force is what the journal last said it was: a record is told in the terms of the image that judged it. */
  #receipts(run: Run, items: readonly (Frame | JournalFinding)[]): { records: AuditFields[]; policy: string } {
    let policy = run.record.journalPolicy;
    const records = items.map((item): AuditFields => {
      if (!('type' in item)) return this.#finding(run, item);
      const inForce = item.fields.IMAGE_DIGEST ? imageName(item.fields.IMAGE_DIGEST) : policy;
      if (item.type !== 'DECISION') policy = inForce; // a decision may be the last one by an image that is replaced
      const context: RunContext = {
        run: run.record.id,
        agent: run.record.name,
        policy: inForce,
        rule: (index) => this.#options.rule(inForce, index),
      };
      const receipt = journalRecord(item, context);
      return receipt ?? this.#finding(run, { kind: 'damage', text: `${item.type} is no journal record`, count: 0 });
    });
    return { records: coalesce(records), policy };
  }

  #finding(run: Run, { kind, text, count }: JournalFinding): AuditFields {
    return { action: kind, time: this.#options.now(), run: run.record.id, agent: run.record.name, text, count };
  }
}

/** What a receipt of the chain tells about its run; used for fresh ones and when the chain is read again after a restart. */
export function applyReceipt(run: Run, receipt: AuditFields): void {
  const { record } = run;
  if (receipt.verdict !== undefined && receipt.verdict !== 'allow') {
    record.denied[receipt.action] = (record.denied[receipt.action] ?? 0) + (receipt.count ?? 1);
  }
  if (receipt.action === 'run_start') record.startedAt = receipt.time;
  if (receipt.action === 'run_end') {
    record.endedAt = receipt.time;
    record.exitStatus = receipt.status ?? null;
  }
}

const GATHER_MS = 25;
/** Well below the second after which a supervisor asks again. */
const GATHER_STREAM_MS = 100;
const STREAM_RECORDS = 16;
const RETRY_MS = 1000;
