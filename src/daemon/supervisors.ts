import { isAlive, processIdentity } from '../adapters/process/process-identity.ts';
import type { Hello, Supervisor, SupervisorEvents } from '../adapters/supervisor/supervisor-server.ts';
import { byteText } from '../core/audit/byte-text.ts';
import { shellStatus } from '../core/audit/journal-record.ts';
import type { AuditFields } from '../core/audit/record.ts';
import type { Frame, FrameFields } from '../core/wire/frame.ts';
import type { Connections } from './connections.ts';
import type { JournalDrain } from './journal-drain.ts';
import { killSupervisor } from './kill-supervisor.ts';
import type { Run } from './run.ts';
import { isOver } from './run-record.ts';
import type { RunStore } from './run-store.ts';

export type SupervisorsOptions = {
  runs: ReadonlyMap<string, Run>;
  store: RunStore;
  drain: JournalDrain;
  connections: Connections;
  append: (record: AuditFields) => Promise<unknown>;
  /** The end of a run, for which there is room when the log takes nothing else. */
  appendEnd: (record: AuditFields) => Promise<unknown>;
  /** Signs where the log stands. */
  writeCheckpoint: () => Promise<void>;
  /** The file that holds an image. */
  imagePath: (policy: string) => string;
  /** Nothing of the run is left, and its end is on record. */
  over: (run: Run) => void;
  now: () => string;
  /** A line for the daemon's own log. */
  say: (line: string) => void;
};

/** What the daemon does about each supervisor: whom it accepts, what their frames cause, and how a run comes to its end. */
export class Supervisors implements SupervisorEvents {
  readonly #options: SupervisorsOptions;
  readonly #timers = new Set<NodeJS.Timeout>();
  #stopped = false;

  constructor(options: SupervisorsOptions) {
    this.#options = options;
  }

  hello({ run: id, token, pid, directory }: Hello): string | undefined {
    const { runs, store } = this.#options;
    const run = runs.get(id);
    if (run === undefined || isOver(run.record) || run.ending) return 'there is no such run';
    if (!store.tokenFits(id, token)) return `the token is not that of run ${id}`;
    if (directory !== store.directory(id)) return `the directory is not that of run ${id}`;
    const identity = processIdentity(pid);
    if (identity === undefined) return `the supervisor of run ${id} is no process`;
    const known = run.record.supervisor;
    if (known !== null && (known.pid !== pid || known.startTime !== identity.startTime)) {
      return `run ${id} has another supervisor`;
    }
    run.record.supervisor = identity;
    if (known !== null || this.#saved(run)) return undefined;
    run.record.supervisor = null;
    return `the state of run ${id} cannot be saved`;
  }

  joined(supervisor: Supervisor): void {
    const run = this.#options.runs.get(supervisor.run)!;
    run.supervisor?.disconnect();
    run.supervisor = supervisor;
    run.record.state = 'running';
    if (run.taken !== run.record.policyDigest) this.pushImage(run);
    this.#options.drain.kick(run, 0);
  }

  frame(supervisor: Supervisor, frame: Frame): void {
    const run = this.#options.runs.get(supervisor.run)!;
    if (frame.type === 'KICK') this.#options.drain.kick(run);
    else if (frame.type === 'CONNECTION') this.#announce(run, frame.fields, supervisor);
    else if (frame.type === 'IMAGE_TAKEN') this.#imageTaken(run, frame.fields);
    else if (frame.type === 'ENDED') {
      run.ending = true;
      void this.#finish(run, { state: 'ended', status: frame.fields.STATUS });
    }
  }

  left(supervisor: Supervisor, why: string | undefined): void {
    const run = this.#options.runs.get(supervisor.run)!;
    if (run.supervisor !== supervisor) return; // another connection took its place
    run.supervisor = undefined;
    if (run.ending || this.#stopped) return;
    this.#options.say(`run ${run.record.id}: the supervisor's connection ended${why ? `: ${why}` : ''}`);
    this.#after(REJOIN_MS, () => this.#loseUnlessBack(run));
  }

  refused(why: string): void {
    this.#options.say(`a connection to the supervisor socket was refused: ${why}`);
  }

  pushImage(run: Run): void {
    const { policyDigest } = run.record;
    run.supervisor?.send('IMAGE', {
      PATH: Buffer.from(this.#options.imagePath(policyDigest)),
      IMAGE_DIGEST: Buffer.from(policyDigest.replace('sha256:', ''), 'hex'),
    });
  }

  /** Ends a run now: the supervisor is asked, and killed when it does not obey. A run whose supervisor never came is over with this. */
  kill(run: Run): void {
    run.supervisor?.send('KILL', {});
    if (run.record.supervisor === null) void this.#lose(run);
    else if (run.supervisor === undefined) killSupervisor(run);
    else {
      this.#after(KILL_MS, () => {
        if (!isOver(run.record)) killSupervisor(run);
      });
    }
  }

  /** Looks after a run of an earlier daemon, or one whose supervisor has not come yet, until it joins or is known not to. */
  expect(run: Run): void {
    if (this.#stopped || run.supervisor !== undefined || run.ending || isOver(run.record)) return;
    const { supervisor, createdAt } = run.record;
    const waited = Date.parse(this.#options.now()) - Date.parse(createdAt);
    const gone = supervisor === null ? waited > FIRST_HELLO_MS : !isAlive(supervisor);
    if (gone) void this.#lose(run);
    else this.#after(WATCH_MS, () => this.expect(run));
  }

  /** The daemon stops: connections that end now say nothing about their runs. */
  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #announce(run: Run, fields: FrameFields, supervisor: Supervisor): void {
    const { FAMILY, SOURCE_PORT, PID, PROGRAM, KIND, TARGET, PORT } = fields;
    const kind = KIND && byteText(KIND).text;
    const family = FAMILY === 4n ? 4 : FAMILY === 6n ? 6 : undefined;
    if (family === undefined || SOURCE_PORT === undefined || (kind !== 'proxy' && kind !== 'transparent')) {
      supervisor.disconnect();
      return;
    }
    this.#options.connections.announce(family, Number(SOURCE_PORT), {
      run: run.record.id,
      pid: Number(PID ?? 0n),
      program: PROGRAM ? byteText(PROGRAM).text : '',
      kind,
      ...(TARGET ? { address: byteText(TARGET).text } : {}),
      ...(PORT === undefined ? {} : { port: Number(PORT) }),
    });
  }

  #imageTaken(run: Run, { ERRNO, IMAGE_DIGEST }: FrameFields): void {
    const digest = IMAGE_DIGEST ? Buffer.from(IMAGE_DIGEST).toString('hex') : 'unknown';
    if (ERRNO === undefined || ERRNO === 0n) {
      run.taken = `sha256:${digest}`;
      this.#options.drain.imageTaken(run, run.taken);
      return;
    }
    run.policyError = `the supervisor did not take image ${digest.slice(0, 12)}: errno ${ERRNO}`;
    this.#record(run, { action: 'policy_error', text: run.policyError, policy: `sha256:${digest}` });
  }

  /** A living supervisor that lost only its connection is back at once; one that is not back does not watch its run any more. */
  #loseUnlessBack(run: Run): void {
    if (run.supervisor === undefined && !run.ending && !isOver(run.record)) void this.#lose(run);
  }

  async #lose(run: Run): Promise<void> {
    run.ending = true;
    killSupervisor(run);
    await this.#finish(run, { state: 'lost', status: undefined });
  }

  /** Everything that the journal holds goes into the chain before the run's directory goes away. */
  async #finish(run: Run, end: { state: 'ended' | 'lost'; status: bigint | undefined }): Promise<void> {
    const { drain, store, connections, appendEnd, writeCheckpoint, over, now } = this.#options;
    const { record } = run;
    connections.forgetRun(record.id);
    try {
      await drain.drain(run, true);
      const closing = this.#closingReceipt(run, end);
      if (closing !== undefined) {
        await appendEnd(closing);
        record.endedAt = closing.time; // so that another attempt does not record it again
      }
      await writeCheckpoint(); // whoever hears that the run is over may verify its log
      if (closing !== undefined) record.state = end.state;
      record.exitStatus ??= end.status === undefined ? null : shellStatus(end.status);
      record.endedAt ??= now();
      if (!isOver(record)) record.state = 'ended'; // with a daemon or without: RUN_END is an orderly end
      store.remove(record.id);
      over(run);
    } catch (error) {
      this.#options.say(`run ${record.id}: its end cannot be recorded yet: ${error}`);
      this.#after(RETRY_MS, () => void this.#finish(run, end));
    }
  }

  /** RUN_END of the journal is the receipt of an orderly end. What ends otherwise gets one here. */
  #closingReceipt(
    { record }: Run,
    end: { state: 'ended' | 'lost'; status: bigint | undefined },
  ): AuditFields | undefined {
    const common = { time: this.#options.now(), run: record.id, agent: record.name, policy: record.policyDigest };
    if (record.endedAt !== null) return undefined;
    if (end.state === 'lost') {
      const text =
        record.supervisor === null ? 'no supervisor ever came' : 'the supervisor was gone before the run ended';
      return { ...common, action: 'run_lost', text };
    }
    const status = end.status === undefined ? undefined : shellStatus(end.status);
    return { ...common, action: 'run_end', status, text: 'the journal has no end' };
  }

  /** Before the supervisor hears that it is welcome: a daemon that comes after this one must know whose run it is. */
  #saved(run: Run): boolean {
    try {
      this.#options.store.save(run.record);
    } catch (error) {
      this.#options.say(`run ${run.record.id}: its state cannot be saved: ${error}`);
      return false;
    }
    return true;
  }

  #record(run: Run, fields: Omit<AuditFields, 'time'>): void {
    const { append, now, say } = this.#options;
    append({ ...fields, time: now(), run: run.record.id, agent: run.record.name }).catch((error) =>
      say(`run ${run.record.id}: ${fields.action} could not be recorded: ${error}`),
    );
  }

  #after(ms: number, work: () => void): void {
    if (this.#stopped) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, ms);
    this.#timers.add(timer);
  }
}

const REJOIN_MS = 500;
const KILL_MS = 3000;
const RETRY_MS = 1000;
const WATCH_MS = 1000;
const FIRST_HELLO_MS = 60_000;
