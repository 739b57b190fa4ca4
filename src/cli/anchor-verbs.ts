import { type Command, Option } from 'commander';
import type { Done } from './verbs.ts';

/** Adds what is about the holders of the log's checkpoints and the key that signs them. */
export function addAnchorVerbs(audit: Command, done: Done): void {
  audit
    .command('anchors')
    .summary('who else holds checkpoints, and whether they agree')
    .description(
      'List who holds checkpoints of the log besides itself, how far, since when, and whether that is what the log says. Exits 1 when one disagrees or cannot be asked.',
    )
    .option('--ask', 'let witnesses say how far they have seen the log')
    .addOption(json())
    .action(async (options) => done(await (await import('./commands/audit-anchors.ts')).auditAnchors(options)));
  audit
    .command('rotate-key')
    .summary('sign with a new key from here on')
    .description(
      'Make a new key that signs the log from here on, in an entry that the old and the new key sign; the old secret is destroyed. Public keys stay.',
    )
    .addOption(json())
    .action(async (options) => done(await (await import('./commands/audit-rotate-key.ts')).auditRotateKey(options)));
}

const json = (): Option => new Option('--json', 'as JSON');
