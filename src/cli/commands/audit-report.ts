import { readCheckpointFile, readRecords } from '../../adapters/audit-log/read.ts';
import { writeFileAtomic } from '../../adapters/process/atomic-file.ts';
import { PROBLEMS } from '../../core/audit/verify.ts';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { auditDirectory } from '../audit-directory.ts';
import { printJson } from '../render/print.ts';
import { tellUser } from '../render/tell-user.ts';
import { reportPage, type Verified } from '../report/page.ts';
import { type RunReport, RunReporter } from '../report/run-report.ts';
import { findLoggedRun } from '../run-in-log.ts';
import { verifyHere } from '../verify-here.ts';
import { whyNotWritten } from '../why-not-written.ts';

export type ReportOptions = { output?: string; verify?: boolean; json?: boolean };

/** Writes a page about one run: what it did and what it was refused. Exits 1 when the log that it is made from does not verify. */
export async function auditReport(
  wanted: string | undefined,
  { output, verify = true, json = false }: ReportOptions,
): Promise<number> {
  const { id, name } = findLoggedRun(wanted, () => false);
  const verified = verify ? await verifyForPage() : undefined;
  const report = collect(id);
  if (json) {
    printJson({ ...asData(report), verified: verified ?? null });
    return verified?.ok === false ? 1 : 0;
  }
  const page = reportPage(report, verified, new Date().toISOString());
  const path = output ?? `gatekeeper-${fileName(name, id)}.html`;
  if (path === '-') process.stdout.write(page);
  else write(path, page);
  if (verified?.ok === false) tellUser(`gatekeeper: ${verified.text} See: gatekeeper audit verify`);
  return verified?.ok === false ? 1 : 0;
}

function collect(id: string): RunReport {
  const reporter = new RunReporter(id);
  for (const records of readRecords(auditDirectory())) {
    for (const record of records) if (record.run === id) reporter.add(record);
  }
  return reporter.end();
}

/** As `audit verify` does it. */
async function verifyForPage(): Promise<Verified> {
  const { result, by, keys } = await verifyHere(auditDirectory());
  const { ok, entries, problems, kept } = result;
  const [first] = problems;
  return {
    ok,
    text: ok
      ? `Verified: all ${entries} entries of the log, their signatures and the checkpoint fit together.`
      : `The log does NOT verify: ${first && first.seq > 0 ? `entry ${first.seq}: ` : ''}${first && PROBLEMS[first.kind]}.`,
    trusted: by,
    signedBy: keys,
    comparedWith: kept.map(({ holder, compared, error }) => ({ holder, compared, ...(error && { error }) })),
    checkpoint: readCheckpointFile(auditDirectory()),
  };
}

function write(path: string, page: string): void {
  try {
    writeFileAtomic(path, page);
  } catch (cause) {
    throw new GatekeeperError('GK_OUTPUT', {
      what: `the report cannot be written: ${whyNotWritten(cause)}`,
      where: path,
      remedy: 'name another file: -o FILE',
      cause,
    });
  }
  tellUser(`gatekeeper: wrote ${path}`);
}

function asData(report: RunReport) {
  const { id, name, created, started, ended, policies, remarks, tally } = report;
  return {
    ...{ run: id, name, created, started, ended, policies, remarks },
    entries: tally.entries,
    verdicts: tally.verdicts,
    failed: tally.failed,
    refusals: tally.refusals.largest(({ count }) => count),
    destinations: tally.destinations.largest(({ allowed, refused }) => allowed + refused),
    programs: tally.programs.largest(({ started: count }) => count),
    files: tally.files.largest(({ count }) => count),
    rules: tally.voices.largest(({ verdicts }) => verdicts.allow + verdicts.deny),
  };
}

/** A run's name may be anything. */
const fileName = (name: string, id: string): string =>
  `${name.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, 40)}-${id.slice(-8)}`;
