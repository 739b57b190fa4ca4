import { readSmallFile } from '../../adapters/audit-log/line-reader.ts';
import { proveEntry, proveGrowth } from '../../adapters/audit-log/prove.ts';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { auditDirectory, readError } from '../audit-directory.ts';
import { tellUser } from '../render/tell-user.ts';
import { writeNewFile } from '../write-new-file.ts';

export type ProveOptions = { from?: string; output?: string; log?: string };

/** Writes a proof that whoever has the public key can check. */
export async function auditProve(seq: number | undefined, { from, output, log }: ProveOptions): Promise<number> {
  if ((seq === undefined) === (from === undefined)) {
    throw new GatekeeperError('GK_USAGE', {
      what: 'either the number of an entry is needed, or --from with a checkpoint',
      remedy: 'see: gatekeeper audit prove --help',
    });
  }
  const directory = auditDirectory(log);
  const kept = from === undefined ? undefined : readKept(from);
  const proof = proofOf(directory, seq, kept);
  if (output === undefined || output === '-') process.stdout.write(proof);
  else {
    writeNewFile(output, proof);
    tellUser(`gatekeeper: wrote the proof; check it with: gatekeeper audit check-proof ${output}`);
  }
  return 0;
}

function proofOf(directory: string, seq: number | undefined, kept: string | undefined): string {
  try {
    return kept === undefined ? proveEntry(directory, seq ?? 0) : proveGrowth(directory, kept);
  } catch (error) {
    throw readError(error, directory);
  }
}

function readKept(file: string): string {
  try {
    return readSmallFile(file, LONGEST_NOTE)?.toString() ?? '';
  } catch (cause) {
    throw new GatekeeperError('GK_USAGE', {
      ...{ what: 'the checkpoint cannot be read', where: file, cause },
      remedy: 'name a copy of the file named checkpoint beside the log',
    });
  }
}

const LONGEST_NOTE = 64 * 1024;
