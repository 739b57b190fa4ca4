import { readAnchors } from '../adapters/anchors/anchors.ts';
import { readBundleNotes } from '../adapters/audit-log/bundle-notes.ts';
import {
  type KeptNotes,
  type LogVerification,
  type VerifyOptions,
  verifyLog,
} from '../adapters/audit-log/verify-log.ts';
import { readAuditSettings } from '../adapters/audit-settings/read-settings.ts';
import { fingerprint } from '../adapters/keys/public-key.ts';
import { isOwnLog, readError } from './audit-directory.ts';
import { type TrustOptions, trustOf } from './audit-trust.ts';
import { ownHome } from './home.ts';
import { ProgressLine } from './render/progress-line.ts';

export type VerifyWishes = TrustOptions & {
  /** Whether those are asked who hold checkpoints. */
  anchors?: boolean;
  given?: readonly KeptNotes[];
  expected?: NonNullable<VerifyOptions['expected']>;
};

/** `by`: what is trusted, in words. `keys`: fingerprints of the log's keys, in their order. */
export type VerifiedHere = { result: LogVerification; by: string; keys: string[] };

/** Verifies a log with the keys that are trusted here and with what others hold of it, and tells a terminal how far it is. */
export async function verifyHere(directory: string, wishes: VerifyWishes = {}): Promise<VerifiedHere> {
  const { given = [], expected = [], anchors = true } = wishes;
  const isOwn = isOwnLog(directory);
  const trust = trustOf(wishes, isOwn);
  const kept = [...given, ...(anchors ? await keptNotes(directory, isOwn) : [])];
  const line = new ProgressLine();
  const result = await verifyLog(directory, trust, {
    ...{ kept, expected },
    progress: ({ entries, bytes, totalBytes }) =>
      line.update((seconds) => progressText(entries, bytes / Math.max(1, totalBytes), entries / seconds)),
  })
    .catch((error) => {
      throw readError(error, directory);
    })
    .finally(() => line.clear());
  return { result, by: trust.by, keys: result.keys.map(({ key }) => fingerprint(Buffer.from(key, 'base64'))) };
}

/** What others hold of this user's own log; of any other one, what lies with it in a bundle. */
async function keptNotes(directory: string, isOwn: boolean): Promise<KeptNotes[]> {
  if (!isOwn) return readBundleNotes(directory);
  const layout = ownHome();
  return await readAnchors(readAuditSettings(layout), layout);
}

const progressText = (entries: number, share: number, rate: number): string =>
  `verifying: ${entries} entries, ${Math.floor(share * 100)}%, ${Math.round(rate)} a second`;
