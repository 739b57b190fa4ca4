import { type Command, InvalidArgumentError, Option } from 'commander';
import { VERDICT_WISHES } from '../core/audit/entry-filter.ts';
import { addAnchorVerbs } from './anchor-verbs.ts';
import { EXPORT_FORMATS } from './export-formats.ts';
import type { Done } from './verbs.ts';

/** Adds what reads, checks and passes on the audit log. */
export function addAudit(program: Command, done: Done): void {
  const audit = program
    .command('audit')
    .summary('read and verify the audit log')
    .description('Read and verify the audit log.');
  const tail = audit
    .command('tail')
    .summary('print the last entries, and go on with new ones')
    .description('Print the last entries; on a terminal in columns that fit it, in local time.')
    .option('-n, --lines <count>', 'how many (default: 20, or all with --since)', wholeNumber)
    .option('-f, --follow', 'go on with new entries until interrupted');
  addWishes(tail)
    .option('--utc', 'times in UTC, as they are recorded')
    .option('--log <directory>', 'log to read (default: the one of this user)')
    .addOption(new Option('--json', 'the lines of the log, as they are'))
    .action(async (options) => done(await (await import('./commands/audit-tail.ts')).auditTail(options)));
  audit
    .command('show')
    .summary('say everything about one entry')
    .description(
      'Say everything about one entry: what was tried and by whom, the verdict and the rule behind it, what became of it, how it is proven, and how to allow it.',
    )
    .argument('<entry>', 'number of the entry; last: the latest; denied: the latest that was denied')
    .option('--run <run>', 'with last or denied: of this run (identifier, its beginning, or name; last: the latest)')
    .option('--log <directory>', 'log to read (default: the one of this user)')
    .addOption(json())
    .action(async (entry, options) => done(await (await import('./commands/audit-show.ts')).auditShow(entry, options)));
  audit
    .command('verify')
    .summary('check every link, signature and checkpoint')
    .description(
      'Check every entry, link and signature, and compare with what others hold of it. Works offline, with the public key alone. Exits 1 with the first bad entry when anything was changed.',
    )
    .option('--public-key <file>', 'public key to trust (default: the one that is pinned for this user)')
    .option('--fingerprint <fingerprint>', 'fingerprint of the key to trust (SHA256:…)')
    .option('--log <directory>', 'log to check, or a bundle of it (default: the one of this user)')
    .option('--since-checkpoint <file>', 'compare with a checkpoint that you kept, too')
    .option('--expect <checkpoint>', 'size and root that the log must have had (SIZE:ROOT), as verify prints them')
    .option('--no-anchors', 'do not ask who else holds checkpoints')
    .addOption(json())
    .action(async (options) => done(await (await import('./commands/audit-verify.ts')).auditVerify(options)));
  addExport(audit, done);
  addAnchorVerbs(audit, done);
  audit
    .command('prove')
    .summary('prove that an entry is in the log, or that it went on from a checkpoint')
    .description(
      'Write a proof that convinces whoever has the public key: that an entry is in the log, or that the log went on from where a kept checkpoint says.',
    )
    .argument('[seq]', 'number of the entry', wholeNumber)
    .option('--from <file>', 'checkpoint that was kept, in place of an entry')
    .option('-o, --output <file>', 'where to write it (default: standard output)')
    .option('--log <directory>', 'log that it is in, or a bundle of it (default: the one of this user)')
    .action(async (seq, options) => done(await (await import('./commands/audit-prove.ts')).auditProve(seq, options)));
  audit
    .command('check-proof')
    .summary('check a proof with the public key alone')
    .description('Check a proof with the public key alone, and print what it proves. Exits 1 when it does not hold.')
    .argument('<file>', 'the proof')
    .option('--public-key <file>', 'public key to trust (default: the one that is pinned for this user)')
    .option('--fingerprint <fingerprint>', 'fingerprint of the key to trust (SHA256:…)')
    .addOption(json())
    .action(async (file, options) =>
      done(await (await import('./commands/audit-check-proof.ts')).auditCheckProof(file, options)),
    );
  audit
    .command('stats')
    .summary('figures of what was allowed and refused')
    .description('Print figures: how much there is, what was allowed and refused, by which rules, programs and places.')
    .option('--run <run>', 'only this run (identifier, its beginning, or name)')
    .option('--top <count>', 'how many lines of each list', wholeNumber, 5)
    .option('--log <directory>', 'log to read (default: the one of this user)')
    .addOption(json())
    .action(async (options) => done(await (await import('./commands/audit-stats.ts')).auditStats(options)));
  audit
    .command('report')
    .summary('write a page about a run')
    .description('Write a page (HTML, in one file) about a run: what it did and was refused. Default: the last run.')
    .argument('[run]', 'identifier, its beginning, or name')
    .option('-o, --output <file>', 'where to write it (default: gatekeeper-RUN.html here; - for standard output)')
    .option('--no-verify', 'do not verify the log first')
    .addOption(json())
    .action(async (run, options) => done(await (await import('./commands/audit-report.ts')).auditReport(run, options)));
}

/** Adds what passes entries on to other programs. */
function addExport(audit: Command, done: Done): void {
  const verb = audit
    .command('export')
    .summary('pass entries on: JSON lines, OCSF, CEF, OpenTelemetry')
    .description(
      'Pass entries on, oldest first: as they stand in the log (jsonl), as events of OCSF or CEF, or as logs of OpenTelemetry, which --to sends to a collector.',
    )
    .addOption(new Option('--format <format>', 'how they are written').choices(EXPORT_FORMATS).default('jsonl'));
  addWishes(verb)
    .option('-o, --output <file>', 'where to write them (default: standard output)')
    .option('--to <url>', 'collector to send them to, by OTLP/HTTP (default: OTEL_EXPORTER_OTLP_ENDPOINT)')
    .option('--header <name=value>', 'send this header along (may be repeated)', collect)
    .option('--header-file <file>', 'the same from a file, one a line, so that no process list shows it')
    .option('-f, --follow', 'go on with new entries until interrupted')
    .option('--cursor <file>', 'remember there how far it came, and go on from there')
    .option('--log <directory>', 'log to read (default: the one of this user)')
    .option('--bundle <directory>', 'write a directory that can be verified anywhere, in place of entries')
    .action(async (options) =>
      done(
        options.bundle === undefined
          ? await (await import('./commands/audit-export.ts')).auditExport(options)
          : await (await import('./commands/audit-bundle.ts')).auditBundle(options),
      ),
    );
}

/** Which entries are wanted. */
function addWishes(command: Command): Command {
  return command
    .option('--run <run>', 'only this run (identifier, its beginning, or name; last: the latest)')
    .addOption(
      new Option('--verdict <verdict>', 'only this verdict; ask: what a rule asked about (may be repeated)')
        .choices(VERDICT_WISHES)
        .argParser(collectVerdict),
    )
    .option('--denied', 'only what was denied, or would have been')
    .option('--action <action>', 'only this action or event (may be repeated)', collect)
    .option('--target <glob>', 'only what was asked for so: *.env, /etc/, *.example.com:443, "git push*"')
    .option('--since <time>', 'only since then: 15m, 2h, 7d, 06:30, 2026-11-21, 2026-11-21T06:30:00Z');
}

const collect = (value: string, before: unknown): string[] => [...((before as string[]) ?? []), value];

function collectVerdict(value: string, before: unknown): string[] {
  if (!VERDICT_WISHES.some((wish) => wish === value))
    throw new InvalidArgumentError(`It is none of: ${VERDICT_WISHES.join(', ')}.`);
  return collect(value, before);
}

const json = (): Option => new Option('--json', 'as JSON');

function wholeNumber(value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw new InvalidArgumentError('It is not a whole number.');
  return Number(value);
}
