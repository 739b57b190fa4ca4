import { entriesBack } from '../../adapters/audit-log/entries.ts';
import { entryFilter } from '../../core/audit/entry-filter.ts';
import { auditDirectory } from '../audit-directory.ts';
import { print } from '../render/print.ts';

/**
 * Names and identifiers of the latest runs in the log for completion scripts, one a line. Prints nothing rather than fail. Runs are named by who starts them, so a shell gets only what
 * no shell acts on.
 */
export function runWords(): number {
  try {
    const words = new Set(['last']);
    const created = entryFilter({ actions: ['run_create'], since: Date.now() - LATELY_MS });
    let runs = 0;
    for (const { record } of entriesBack(auditDirectory(), created)) {
      for (const word of [record.agent, record.run]) if (word !== undefined) words.add(word);
      if (++runs === LATELY) break;
    }
    for (const word of words) if (HARMLESS.test(word)) print(word);
  } catch {
    // Nothing is known: there is nothing to offer.
  }
  return 0;
}

/** So many, and none from before: somebody waits for the answer. */
const LATELY = 20;
const LATELY_MS = 7 * 86_400_000;
const HARMLESS = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
