import { BrokenPolicy } from '../adapters/policy-files/broken-policy.ts';
import { bootMoment } from '../adapters/process/boot-clock.ts';
import type { AuditFields } from '../core/audit/record.ts';
import { GatekeeperError } from '../core/errors/gatekeeper-error.ts';
import type { Run } from './run.ts';
import type { CompiledPolicy, CompilePolicy, Images } from './run-policy.ts';
import type { RunStore } from './run-store.ts';
import { activeRuns } from './runs.ts';

export type PolicyReloadOptions<Image> = {
  runs: ReadonlyMap<string, Run>;
  compile: CompilePolicy;
  images: Images<Image>;
  store: RunStore;
  append: (record: AuditFields) => Promise<unknown>;
  pushImage: (run: Run) => void;
  /** What runs are offered follows their policy. */
  offer: (run: Run) => void;
  /** Tells which files are to be watched from now on; returns those that were not watched before. */
  watch: (files: readonly string[]) => ReadonlySet<string>;
  /** The image without what no longer holds for the run; undefined when all of it does. */
  endGrants?: ((image: Uint8Array, run: string) => Uint8Array | undefined) | undefined;
  now: () => string;
};

/** Compiles again what changed on disk. What does not compile is not taken: the last good image stays, and says so. */
export class PolicyReload<Image> {
  readonly #options: PolicyReloadOptions<Image>;
  #work: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: PolicyReloadOptions<Image>) {
    this.#options = options;
  }

  /** Some of these files changed. Changes that come while one is worked on are worked on afterwards. */
  changed(files: ReadonlySet<string>): Promise<void> {
    this.#work = this.#work.then(() => this.#reload((run) => run.policyFiles.some((file) => files.has(file))));
    return this.#work;
  }

  /** After a restart nothing is known of what changed meanwhile. */
  all(): Promise<void> {
    this.#work = this.#work.then(() => this.#reload(() => true));
    return this.#work;
  }

  /** The files to watch follow the runs. What changed between the moment when a file was read and the first look at it would be missed: it is read again. */
  rewatch(): void {
    const files = new Set<string>();
    for (const run of activeRuns(this.#options.runs)) for (const file of run.policyFiles) files.add(file);
    this.#awaitGrants();
    const fresh = this.#options.watch([...files]);
    if (fresh.size > 0) void this.changed(fresh);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** Supervisors see by themselves that a grant has ended; the images that follow say so. */
  #awaitGrants(): void {
    clearTimeout(this.#timer);
    const ends = [...activeRuns(this.#options.runs)].flatMap(({ grantsEndAt }) => grantsEndAt ?? []);
    if (ends.length === 0) return;
    // A timer stands still while the machine sleeps; the clock does not.
    const wait = Math.min(Math.max(Math.min(...ends) - bootMoment().ms, 0), LONGEST_WAIT_MS);
    this.#timer = setTimeout(() => this.#endGrants(), wait).unref();
  }

  #endGrants(): void {
    const now = bootMoment().ms;
    const ended = activeRuns(this.#options.runs).filter(({ grantsEndAt }) => (grantsEndAt ?? Infinity) <= now);
    for (const run of ended) run.grantsEndAt = undefined; // until it is known what ends next
    if (ended.length === 0) this.#awaitGrants();
    else this.#work = this.#work.then(() => this.#reload((run) => ended.includes(run)));
  }

  async #reload(affected: (run: Run) => boolean): Promise<void> {
    for (const run of activeRuns(this.#options.runs)) if (affected(run)) await this.#reloadRun(run);
    this.rewatch();
  }

  async #reloadRun(run: Run): Promise<void> {
    const { compile, images } = this.#options;
    const { record } = run;
    try {
      const compiled = await compile(record.request, record.cacheSlot, record.id);
      refuseToLose(record.policyFile, compiled);
      const digest = images.store(compiled.image);
      run.policyFiles = compiled.files;
      await this.#take(run, digest, compiled);
      run.policyError = undefined;
      run.grantsEndAt = compiled.grantsEndAt;
    } catch (error) {
      const text = textOf(error);
      // The mending may be in a file that was not there the last time.
      if (error instanceof BrokenPolicy) run.policyFiles = [...new Set([...run.policyFiles, ...error.files])];
      await this.#endGrantsOf(run).catch(() => undefined);
      if (run.policyError === text) return;
      run.policyError = text;
      const { append } = this.#options;
      await append(this.#event(run, { action: 'policy_error', policy: record.policyDigest, text })).catch(
        () => undefined,
      );
    }
  }

  /** What is revoked is over, whether or not the rest of the policy can be read. */
  async #endGrantsOf(run: Run): Promise<void> {
    const { endGrants, images } = this.#options;
    const { policyDigest, policyName, policyFile, id } = run.record;
    const bytes = images.bytes(policyDigest);
    const ended = bytes && endGrants?.(bytes, id);
    if (ended) await this.#take(run, images.store(ended), { name: policyName, userFile: policyFile });
  }

  async #take(run: Run, digest: string, { name, userFile }: Pick<CompiledPolicy, 'name' | 'userFile'>): Promise<void> {
    const { store, append, offer, pushImage } = this.#options;
    const { record } = run;
    const before = record.policyDigest;
    if (digest === before) return;
    // The change is on record before it is in force.
    await append(this.#event(run, { action: 'policy_change', policy: digest, policyBefore: before }));
    record.policyDigest = digest;
    record.policyName = name;
    record.policyFile = userFile;
    offer(run);
    pushImage(run);
    store.save(record); // where there is no room for it, the next daemon compiles anew
  }

  #event({ record }: Run, fields: Omit<AuditFields, 'time'>): AuditFields {
    return { ...fields, time: this.#options.now(), run: record.id, agent: record.name };
  }
}

/** An editor may delete a file and write it anew; what holds without it could be less strict. */
function refuseToLose(policyFile: string | undefined, { userFile, files }: CompiledPolicy): void {
  if (policyFile === undefined || userFile !== undefined) return;
  const what = 'the policy file is gone';
  const remedy = 'put it back, or start the run again';
  throw new BrokenPolicy('GK_POLICY_NOT_FOUND', { what, where: policyFile, remedy }, files);
}

const LONGEST_WAIT_MS = 60_000;

function textOf(error: unknown): string {
  if (error instanceof GatekeeperError) return error.where ? `${error.where}: ${error.what}` : error.what;
  return error instanceof Error ? error.message : String(error);
}
