import type { AuditLog } from '../adapters/audit-log/audit-log.ts';
import { NamedImages } from '../adapters/audit-log/named-images.ts';
import { Retention } from '../adapters/audit-log/retention.ts';
import type { AuditSettings } from '../core/audit/settings.ts';
import type { AnchoredSize } from './anchored-size.ts';
import type { Run } from './run.ts';
import type { Images } from './run-policy.ts';
import type { RunStore } from './run-store.ts';
import { activeRuns } from './runs.ts';

export type LogKeepingOptions<Image> = {
  directory: string;
  log: AuditLog;
  settings: AuditSettings;
  anchored: AnchoredSize;
  images: Images<Image>;
  store: RunStore;
  runs: ReadonlyMap<string, Run>;
  now: () => string;
  say: (line: string) => void;
};

/** Removes what is to be kept no longer: old files of the log, as its settings say, and then the images that nothing names any more. */
export class LogKeeping<Image> {
  readonly #options: LogKeepingOptions<Image>;
  readonly #retention: Retention;
  readonly #named: NamedImages;

  constructor(options: LogKeepingOptions<Image>) {
    const { directory, log, anchored, settings, now } = options;
    this.#options = options;
    this.#named = new NamedImages(directory);
    this.#retention = new Retention({
      ...{ directory, log, keep: settings, now },
      anchored: (size) => anchored.reaches(size),
      neededFrom: () => this.#neededFrom(),
    });
  }

  /** What an earlier daemon did not come to, and what is too much now. */
  start(): void {
    void this.#tidy(async () => (await this.#retention.finish()) + (await this.#retention.run()));
  }

  /** A file was begun: one more is whole. */
  fileBegan(): void {
    void this.#tidy(() => this.#retention.run());
  }

  async #tidy(prune: () => Promise<number>): Promise<void> {
    const { say } = this.#options;
    try {
      const files = await prune();
      if (files === 0) return;
      const images = await this.#sweepImages();
      say(`files of the audit log that were removed, as its settings say: ${files}; policy images: ${images}`);
    } catch (error) {
      say(`old files of the audit log cannot be removed: ${error}`);
    }
  }

  async #sweepImages(): Promise<number> {
    const { images, runs } = this.#options;
    const since = performance.now();
    const named = new Set(await this.#named.read());
    for (const { record, taken } of activeRuns(runs))
      for (const digest of [record.policyDigest, record.journalPolicy, taken]) if (digest) named.add(digest);
    return images.sweep(named, since);
  }

  /** The next daemon reads the log from what was last written down of each run that goes on. */
  #neededFrom(): number {
    const { store, runs } = this.#options;
    const going = activeRuns(runs);
    for (const { record } of going) store.save(record);
    return Math.min(...going.map(({ record }) => record.auditSeq + 1));
  }
}
