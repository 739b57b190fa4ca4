import { readLog } from '../../adapters/audit-log/read.ts';
import type { AuditRecord } from '../../core/audit/record.ts';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { Changes, compareWith } from '../../core/replay/changes.ts';
import { isDecision, isWellFormed, type RecordedDecision } from '../../core/replay/recorded.ts';
import { type RecordedImage, replay } from '../../core/replay/replay.ts';
import { mayStartRun, RunStarts } from '../../core/replay/run-facts.ts';
import { add, type Difference, Tally } from '../../core/replay/tally.ts';
import { auditDirectory } from '../audit-directory.ts';
import { CandidatePolicy } from '../candidate-policy.ts';
import { wantedEntries } from '../entry-options.ts';
import { RecordedImages } from '../recorded-images.ts';
import { print, printJson } from '../render/print.ts';
import { Progress } from '../render/replay-progress.ts';
import { changesText, differenceJson, differenceText, tallyJson, tallyText } from '../render/replay-text.ts';

export type ReplayOptions = {
  run?: string;
  from?: number;
  to?: number;
  since?: string;
  log?: string;
  policy?: string;
  json?: boolean;
};

/**
 * Decides the recorded decisions of a range again. Without a policy each by the image that decided it: exits 1 when one disagrees, or could not be asked for
 * its image. With one, says what that would have changed: exits 1 when it changes anything.
 */
export async function replayLog(options: ReplayOptions): Promise<number> {
  const directory = auditDirectory(options.log);
  const found = new Replay(directory, options);
  const progress = new Progress();
  for (const lines of readLog(directory)) {
    for (const { text, torn } of lines) if (text !== undefined && !torn && !found.over) found.read(text);
    progress.show(found.tally.entries);
    if (found.over) break;
  }
  progress.end();
  if (options.run !== undefined && !found.knowsRun && found.tally.entries === 0)
    throw new GatekeeperError('GK_RUN_NOT_FOUND', { what: `there is no run ${options.run}` });
  return options.policy === undefined ? found.toldOfItself() : found.toldOfChanges();
}

class Replay {
  readonly tally = new Tally();
  /** Whether the range has ended. */
  over = false;
  /** Whether the run that is meant, if one is, is in the log. */
  knowsRun = false;
  readonly #options: ReplayOptions;
  readonly #wanted: (record: AuditRecord) => boolean;
  readonly #images: RecordedImages;
  readonly #runs = new RunStarts();
  readonly #candidate: CandidatePolicy | undefined;
  readonly #changes = new Changes();
  readonly #differences: Difference[] = [];
  #strange = 0;

  constructor(directory: string, options: ReplayOptions) {
    const { run, since, policy } = options;
    this.#options = options;
    this.#images = new RecordedImages(directory);
    this.#wanted = wantedEntries(directory, { ...(run && { run }), ...(since && { since }) }).matches;
    this.#candidate = policy === undefined ? undefined : new CandidatePolicy(policy);
  }

  read(line: string): void {
    const starts = mayStartRun(line);
    if (!starts && !line.includes('"verdict":')) return;
    const record = parse(line);
    if (!record || !isWellFormed(record)) {
      this.#strange++;
      return;
    }
    if (starts) this.#start(record);
    const { from = 0, to = Number.POSITIVE_INFINITY } = this.#options;
    this.over = record.seq > to;
    if (this.over || record.seq < from || !isDecision(record) || !this.#wanted(record)) return;
    this.tally.entries++;
    if (this.#candidate) this.#compare(this.#candidate, record);
    else this.#replay(record);
  }

  #start(record: AuditRecord): void {
    const { run } = this.#options;
    this.#runs.take(record);
    this.knowsRun ||=
      run === undefined || run === 'last' || record.agent === run || record.run?.startsWith(run) === true;
  }

  #replay(record: RecordedDecision): void {
    const image = this.#images.get(record.policy);
    if ('why' in image && !isWithoutPolicy(record)) {
      this.tally.withoutImage(record, image.why);
      return;
    }
    const outcome =
      'why' in image
        ? ({ kind: 'not-decided', why: record.reason ?? 'internal' } as const)
        : replay(image, record, this.#runs.of(record.run));
    this.tally.take(record, outcome);
    if (outcome.kind !== 'differs') return;
    if (this.#options.json) this.#differences.push({ record, found: outcome });
    else print(differenceText({ record, found: outcome }));
  }

  #compare(candidate: CandidatePolicy, record: RecordedDecision): void {
    const { cwd, netAllow, simulate } = this.#runs.of(record.run);
    if (cwd === undefined) {
      this.tally.take(record, { kind: 'not-decided', why: 'run-start-missing' });
      return;
    }
    const own = this.#images.get(record.policy);
    const verdicts = compareWith(candidate.in({ cwd, netAllow }), isImage(own) ? own : undefined, record, { simulate });
    this.tally.take(record, verdicts.kind === 'not-decided' ? verdicts : { kind: 'agrees' });
    if (verdicts.kind !== 'changes') return;
    this.#changes.add(record, verdicts);
    add(this.tally.agreedBy, 'changes', record.count ?? 1);
  }

  toldOfItself(): number {
    const { tally } = this;
    const sound = tally.differed === 0 && tally.missing.size === 0 && this.#strange === 0;
    if (this.#options.json)
      printJson({
        agrees: sound,
        ...tallyJson(tally, this.#strange),
        differences: this.#differences.map(differenceJson),
      });
    else print(tallyText(tally, this.#strange));
    return sound ? 0 : 1;
  }

  toldOfChanges(): number {
    const changes = this.#changes.list();
    const name = this.#candidate?.name || this.#options.policy || '';
    if (this.#options.json) {
      const { entries, decisions, notDecided } = tallyJson(this.tally, this.#strange);
      printJson({ policy: name, entries, decisions, notDecided, strange: this.#strange, changes });
    } else print(changesText(name, changes, this.tally, this.#strange));
    return changes.length > 0 ? 1 : 0;
  }
}

function parse(line: string): AuditRecord | undefined {
  try {
    const value = JSON.parse(line) as AuditRecord | null;
    return typeof value?.seq === 'number' ? value : undefined;
  } catch {
    return undefined;
  }
}

const isImage = (found: ReturnType<RecordedImages['get']>): found is RecordedImage => 'image' in found;

/** What no policy was there for names no image either. */
const isWithoutPolicy = ({ policy, source }: RecordedDecision): boolean =>
  policy === undefined && source === 'internal';
