import { originOf, parseCheckpoint, type SignedCheckpoint } from '../../core/audit/checkpoint.ts';
import type { AuditSettings } from '../../core/audit/settings.ts';
import { keyOfLog, keysOfLog } from '../audit-log/key-of-log.ts';
import { resumeTree } from '../audit-log/segment-start.ts';
import { TreeReader } from '../audit-log/tree-reader.ts';
import type { ReadAnchor } from './anchors.ts';
import { verifyEd25519 } from './ed25519.ts';

export type Agreement = 'agrees' | 'ahead' | 'differs' | 'nothing' | 'unsigned' | 'unknown' | 'unreadable';

/** What one holder has of a log, and how that fits it. `size` and `time` are those of its newest checkpoint. */
export type AnchorState = {
  holder: string;
  agreement: Agreement;
  size?: number;
  time?: string;
  /** How many checkpoints it has given back. */
  notes: number;
  error?: string;
};

/**
 * Whether somebody should look at it. That a holder has nothing yet is none, since a command may be able to take and not to give; nor is a journal that takes
 * checkpoints without being asked to, and that this user may not read.
 */
export function isTrouble({ agreement, holder }: AnchorState, { anchors }: Pick<AuditSettings, 'anchors'>): boolean {
  if (agreement === 'unreadable') return !(holder === 'system journal' && anchors.journal === 'auto');
  return agreement === 'ahead' || agreement === 'differs' || agreement === 'unsigned';
}

/** Compares each holder's newest checkpoint with the log as it is now; `audit verify` does so with all of them. */
export async function agreements(directory: string, held: readonly ReadAnchor[]): Promise<AnchorState[]> {
  const now = resumeTree(directory);
  const end = now?.tree.end ?? 0;
  const isOwn = ownNotes(directory);
  const states: AnchorState[] = [];
  for (const { holder, notes, times, error } of held) {
    const newest = newestOf(notes, now === undefined ? '' : originOf(now.log));
    const base = { holder, notes: notes.length, ...(error === undefined ? {} : { error }) };
    if (error !== undefined) states.push({ ...base, agreement: 'unreadable' });
    else if (newest === undefined) states.push({ ...base, agreement: 'nothing' });
    else {
      const time = times[newest.at];
      const agreement = isOwn(newest.note) ? await agreementOf(directory, newest.note, end) : 'unsigned';
      states.push({ ...base, agreement, size: newest.note.size, ...(time === undefined ? {} : { time }) });
    }
  }
  return states;
}

/** Nearly all are by the key that signs now; for others all of the log is read. */
function ownNotes(directory: string): (note: SignedCheckpoint) => boolean {
  const current = keyOfLog(directory);
  let all: string[] | undefined;
  return (note) => {
    const own = note.signatures.filter(({ name }) => name === note.origin);
    const isBy = (key: string) => own.some(({ signature }) => verifyEd25519(key, note.text, signature));
    if (current === undefined || isBy(current)) return current !== undefined;
    all ??= keysOfLog(directory);
    return all.some(isBy);
  };
}

function newestOf(notes: readonly string[], origin: string): { note: SignedCheckpoint; at: number } | undefined {
  let newest: { note: SignedCheckpoint; at: number } | undefined;
  for (const [at, text] of notes.entries()) {
    const note = parseCheckpoint(text);
    if (note?.origin === origin && note.size >= (newest?.note.size ?? 0)) newest = { note, at };
  }
  return newest;
}

async function agreementOf(directory: string, note: SignedCheckpoint, end: number): Promise<Agreement> {
  if (note.size > end) return 'ahead';
  try {
    const { before } = await TreeReader.open(directory, note.size);
    return Buffer.from(before.root()).toString('base64') === note.root ? 'agrees' : 'differs';
  } catch {
    return 'unknown'; // the files that tell are gone, as settings may have it
  }
}
