import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Done } from './verbs.ts';

/** Adds what reads, checks and passes on the audit log. */
export function addAudit(program: Command, done: Done): void {
  const audit = program
    .command('audit')
    .summary('read and verify the audit log')
    .description('Read and verify the audit log.');
  audit
    .command('tail')
    .description('Print the last entries.')
    .option('-n, --lines <count>', 'how many', wholeNumber, 20)
    .option('-f, --follow', 'go on with new entries until interrupted')
    .option('--run <run>', 'only this run (identifier, its beginning, or name)')
    .option('--denied', 'only what was denied, or would have been')
    .addOption(json())
    .action(async (options) => done(await (await import('./commands/audit-tail.ts')).auditTail(options)));
  audit
    .command('show')
    .description('Print one entry with everything that it says.')
    .argument('<seq>', 'sequence number', wholeNumber)
    .addOption(json())
    .action(async (seq, options) => done(await (await import('./commands/audit-show.ts')).auditShow(seq, options)));
  audit
    .command('verify')
    .description(
      'Check every link and signature. Works offline, with the public key alone. Exits 1 when anything was changed.',
    )
    .option('--public-key <file>', 'public key to trust (default: the one of this user)')
    .option('--log <directory>', 'log to check (default: the one of this user)')
    .addOption(json())
    .action(async (options) => done(await (await import('./commands/audit-verify.ts')).auditVerify(options)));
  audit
    .command('stats')
    .description('Print figures: how much there is, what was allowed and refused, by which rules, programs and places.')
    .option('--run <run>', 'only this run (identifier, its beginning, or name)')
    .option('--top <count>', 'how many lines of each list', wholeNumber, 5)
    .option('--log <directory>', 'log to read (default: the one of this user)')
    .addOption(json())
    .action(async (options) => done(await (await import('./commands/audit-stats.ts')).auditStats(options)));
  audit
    .command('report')
    .description('Write a page (HTML, in one file) about a run: what it did and was refused. Default: the last run.')
    .argument('[run]', 'identifier, its beginning, or name')
    .option('-o, --output <file>', 'where to write it (default: gatekeeper-RUN.html here; - for standard output)')
    .option('--no-verify', 'do not verify the log first')
    .addOption(json())
    .action(async (run, options) => done(await (await import('./commands/audit-report.ts')).auditReport(run, options)));
}

const json = (): Option => new Option('--json', 'as JSON');

function wholeNumber(value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw new InvalidArgumentError('It is not a whole number.');
  return Number(value);
}
