import { randomBytes } from 'node:crypto';
import type { AuditLog } from '../adapters/audit-log/audit-log.ts';
import { CacheStore } from '../adapters/cache-store/cache-store.ts';
import { type ControlServer, startControlServer } from '../adapters/control-server/control-server.ts';
import { writeFileAtomic } from '../adapters/process/atomic-file.ts';
import { RunNames } from '../adapters/proxy/names.ts';
import { listenForSupervisors } from '../adapters/supervisor/supervisor-server.ts';
import type { AuditFields, ChainHead } from '../core/audit/record.ts';
import type { DaemonStatus } from '../core/contract/control-api.ts';
import { errorLine } from '../core/errors/error-line.ts';
import { Complaint } from './complaint.ts';
import { Connections } from './connections.ts';
import { createRun } from './create-run.ts';
import type { DaemonParts, EgressPorts, FileWatch } from './daemon-parts.ts';
import { daemonStatus } from './daemon-status.ts';
import { egressDoor } from './egress-door.ts';
import { GrantBook } from './grant-book.ts';
import { Inspections } from './inspections.ts';
import { JournalDrain } from './journal-drain.ts';
import { KeptLog } from './kept-log.ts';
import { LogKeeping } from './log-keeping.ts';
import { OfferedFiles } from './offered-files.ts';
import { PolicyReload } from './policy-reload.ts';
import { recoverRuns } from './recover-runs.ts';
import type { Run } from './run.ts';
import { Images } from './run-policy.ts';
import { summarize } from './run-record.ts';
import { RunStore } from './run-store.ts';
import { activeRun, activeRuns, forgetOldRuns, hooksInUse } from './runs.ts';
import { Supervisors } from './supervisors.ts';

/** The daemon's parts at work together. Its directories exist and its locks are held by the caller. */
export class Daemon<Image> {
  readonly #parts: DaemonParts<Image>;
  readonly #startedAt = now();
  readonly #connections = new Connections();
  readonly #kept: KeptLog;
  readonly #log: AuditLog;
  readonly #keeping: LogKeeping<Image>;
  readonly #store: RunStore;
  readonly #images: Images<Image>;
  readonly #caches: CacheStore;
  readonly #runs: Map<string, Run>;
  readonly #names: RunNames;
  readonly #inspections = new Inspections();
  readonly #offered: OfferedFiles<Image>;
  readonly #grants: GrantBook;
  readonly #drain: JournalDrain;
  readonly #supervisors: Supervisors;
  readonly #reload: PolicyReload<Image>;
  readonly #watch: FileWatch;
  readonly #closers: (() => Promise<void>)[] = [];
  #ports: EgressPorts = { proxyPort: 0, transparentPort: 0 };

  private constructor(parts: DaemonParts<Image>, kept: KeptLog) {
    const { layout, say } = parts;
    const { log } = kept;
    this.#parts = parts;
    this.#kept = kept;
    this.#log = log;
    this.#store = new RunStore(layout.runs);
    this.#images = new Images(layout.images, parts.openImage, parts.ruleOf);
    this.#runs = recoverRuns(this.#store, layout.audit);
    this.#caches = new CacheStore(layout.caches, say);
    for (const { record } of activeRuns(this.#runs)) this.#caches.keep(record.cacheSlot);
    this.#names = new RunNames((id) => this.#store.directory(id));
    const [runs, store, images] = [this.#runs, this.#store, this.#images];
    this.#keeping = new LogKeeping({ ...kept, directory: layout.audit, images, store, runs, now, say });
    const { exactNames, mayReachAt } = parts;
    this.#offered = new OfferedFiles({ store, images, names: this.#names, exactNames, mayReachAt, say });
    const append = (record: AuditFields) => this.#append(record);
    const complain = new Complaint(say);
    this.#grants = new GrantBook({ read: parts.grants, file: layout.grantBook, append, now, say });
    this.#drain = new JournalDrain({
      log,
      store,
      now,
      rule: (policy, index) => this.#grants.named(this.#images.rule(policy, index)),
      onFailure: (error) => complain.about(errorLine(error)),
    });
    const imagePath = (policy: string) => this.#images.path(policy);
    const shared = { runs, store, append, now };
    this.#supervisors = new Supervisors({
      ...shared,
      appendEnd: (record) => log.append([record], { ending: true }),
      writeCheckpoint: () => log.writeCheckpoint(),
      drain: this.#drain,
      connections: this.#connections,
      imagePath,
      over: ({ record: { id, cacheSlot } }) => {
        this.#caches.release(cacheSlot);
        for (const known of [this.#names, this.#inspections]) known.forget(id);
        parts.hooks.sweep(hooksInUse(this.#runs));
        this.#reload.rewatch();
      },
      say,
    });
    this.#watch = parts.watchFiles((files) => void this.#grants.look().then(() => this.#reload.changed(files)));
    this.#reload = new PolicyReload({
      ...shared,
      compile: parts.compile,
      endGrants: parts.endGrants,
      images: this.#images,
      pushImage: (run) => this.#supervisors.pushImage(run),
      offer: ({ record }) => this.#offered.update(record),
      watch: (files) => this.#watch.watch([...files, layout.grants], files.length > 0),
    });
  }

  /** Resolves when everything listens. What an earlier daemon left in journals is in the chain by then. */
  static async start<Image>(parts: DaemonParts<Image>): Promise<Daemon<Image>> {
    let [resumed, began] = [(): void => undefined, (): void => undefined];
    const { layout, version, say, holdsLog = () => true } = parts;
    const heard = { now, say, holdsLog, resumed: () => resumed(), began: () => began() };
    const kept = await KeptLog.open({ layout, version, ...heard });
    const daemon = new Daemon(parts, kept);
    [resumed, began] = [() => daemon.#logResumed(), () => daemon.#keeping.fileBegan()];
    await daemon.#open();
    return daemon;
  }

  /** Leaves the runs to their supervisors: they keep deciding, deny what would have to be asked, and join the next daemon. */
  async stop(): Promise<void> {
    this.#supervisors.stop();
    for (const close of this.#closers.reverse())
      await close().catch((error) => this.#parts.say(`while closing: ${error}`));
    await this.#drain.settle(activeRuns(this.#runs));
    this.#saveRuns();
    await this.#append({ action: 'daemon_stop', time: now(), pid: process.pid }).catch(() => undefined);
    await this.#kept.close();
  }

  async #open(): Promise<void> {
    const { layout, say, startEgress, hooks } = this.#parts;
    await this.#grants.look();
    for (const run of this.#runs.values()) await this.#drain.drain(run);
    const door = egressDoor<Image>({
      ...{ runs: this.#runs, images: this.#images, connections: this.#connections, names: this.#names },
      searchDomainsOf: (run) => this.#offered.searchDomains(run),
      inspections: this.#inspections,
      ...{
        ruleOf: (image, index) => this.#grants.named(this.#parts.ruleOf(image, index)),
        append: (record) => this.#append(record),
        now,
      },
      ports: activeRuns(this.#runs)[0]?.record.ports,
    });
    const egress = await startEgress(door);
    this.#ports = { proxyPort: egress.proxyPort, transparentPort: egress.transparentPort };
    for (const run of activeRuns(this.#runs)) this.#endIfPortsDiffer(run);
    this.#closers.push(
      () => egress.close(),
      () => this.#watch.close(),
    );
    const supervisors = await listenForSupervisors(layout.supervisorSocket, this.#supervisors);
    this.#closers.push(() => supervisors.close());
    for (const run of this.#runs.values()) this.#supervisors.expect(run);
    await this.#reload.all();
    this.#caches.sweep(Date.now());
    hooks.sweep(hooksInUse(this.#runs));
    this.#keeping.start();
    const saver = setInterval(() => this.#saveRuns(), SAVE_MS);
    this.#closers.push(async () => clearInterval(saver));
    this.#closers.push(async () => this.#reload.stop());
    const control = await this.#serveControl();
    this.#closers.push(() => control.close());
    say(`listening on ${layout.controlSocket}, ${this.#runs.size} runs to look after`);
  }

  /** Last of all, so that an answer on this socket means that everything works. */
  async #serveControl(): Promise<ControlServer> {
    const { layout, shutdown } = this.#parts;
    const token = randomBytes(32).toString('base64url');
    writeFileAtomic(layout.controlToken, `${token}\n`);
    return startControlServer(layout.controlSocket, token, {
      status: () => this.#status(),
      shutdown,
      createRun: async (request) => {
        await this.#grants.look();
        const { run, response } = await createRun(request, {
          ...this.#parts,
          runs: this.#runs,
          store: this.#store,
          caches: this.#caches,
          offered: this.#offered,
          inspections: this.#inspections,
          images: this.#images,
          append: (record) => this.#append(record),
          onFailure: this.#kept.settings.onFailure,
          logFailure: () => this.#log.failure,
          ports: this.#ports,
          now,
        });
        this.#supervisors.expect(run);
        this.#reload.rewatch();
        forgetOldRuns(this.#runs);
        return response;
      },
      listRuns: () => ({
        runs: [...this.#runs.values()].map(({ record, policyError }) => summarize(record, policyError)),
      }),
      giveSecrets: (id, { secrets }) => this.#inspections.giveSecrets(activeRun(this.#runs, id).record.id, secrets),
      rotateKey: () => this.#kept.rotation.rotate(),
      killRun: async (idOrName) => this.#supervisors.kill(activeRun(this.#runs, idOrName)),
    });
  }

  /** A run whose ports somebody else has taken meanwhile would hand its traffic to them. */
  #endIfPortsDiffer(run: Run): void {
    const { ports, id, name } = run.record;
    if (ports.proxyPort === this.#ports.proxyPort && ports.transparentPort === this.#ports.transparentPort) return;
    const text = 'ended: another program listens on the ports that its connections go to';
    this.#append({ action: 'note', time: now(), run: id, agent: name, kind: 'ports-taken', text }).catch(
      () => undefined,
    );
    this.#supervisors.kill(run);
  }

  /** What happens now whether it can be recorded or not, unless the log halts everything. */
  #append(record: AuditFields): Promise<ChainHead> {
    return this.#log.append([record], { mayBeLost: true });
  }

  /** What waited in journals is taken now. */
  #logResumed(): void {
    this.#parts.say('the audit log can be written again');
    for (const run of activeRuns(this.#runs)) this.#drain.kick(run, 0);
  }

  #status(): DaemonStatus {
    return daemonStatus({
      ...{ log: this.#log, runs: this.#runs, startedAt: this.#startedAt, version: this.#parts.version },
      ...this.#ports,
      publicKeyFingerprint: this.#kept.fingerprint,
      auditOnFailure: this.#kept.settings.onFailure,
      ...{ anchorErrors: this.#kept.anchorFailures, auditFindings: this.#kept.held.findings },
    });
  }

  #saveRuns(): void {
    try {
      for (const { record } of activeRuns(this.#runs)) this.#store.save(record);
    } catch (error) {
      this.#parts.say(`a run's state cannot be saved: ${error}`); // the chain knows more than it anyway
    }
  }
}

const now = () => new Date().toISOString();
const SAVE_MS = 2000;
