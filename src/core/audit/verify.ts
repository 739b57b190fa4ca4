/** What verification may find, and in plain words what it says of the entry. */
export const PROBLEMS = {
  unparsable: 'the line is not an entry',
  'other-form': 'the bytes are not in canonical form',
  'wrong-hash': 'the entry was changed: its hash does not fit',
  'broken-link': 'the entry does not follow the one before it: an entry was removed, inserted or changed',
  'sequence-gap': 'entries are missing before this one',
  'sequence-repeat': 'the number was used before',
  'signature-missing': 'the signature that such an entry must carry is missing',
  'signature-bad': 'the signature is not that of the key',
  'torn-tail': 'the last line is incomplete',
  'tail-cut': 'entries at the end are missing: the signed checkpoint tells of more',
  'checkpoint-differs': 'the entries are not those that the signed checkpoint tells of',
  'checkpoint-missing': 'the signed checkpoint is missing or not signed by the key',
  'segment-missing': 'a file of the log is missing',
  'segment-start-bad': 'the entry that a file begins with does not tell of the log before it',
  'file-odd': 'what should be a file of the log is none',
  'key-unknown': 'the log is signed by another key than the trusted one',
  'key-change-bad': 'the key is changed by an entry that not both keys stand by',
  'rolled-back': 'an anchor tells of more entries than the log has: an older copy was put back, or the end was cut',
  forked: 'the entries are not those that an anchor tells of: the log was continued in another way from an older copy',
  'log-replaced': 'an anchor holds checkpoints of another log by the same key: this one was put in its place',
  'anchor-bad': 'a checkpoint of this log that is kept elsewhere was signed by no key of the log',
  'loss-recorded': 'the log itself tells that entries were removed or replaced before it went on',
} as const;
export type ProblemKind = keyof typeof PROBLEMS;

/** Which manipulations look like that. Something harmless is named where there is any. */
export const LOOKS_LIKE: Readonly<Record<ProblemKind, string>> = {
  unparsable: 'bytes were overwritten or lines joined, or the disk is damaged',
  'other-form': 'the line was edited or passed through another program',
  'wrong-hash': 'the entry was edited and nothing was computed anew',
  'broken-link': 'an entry before it was removed, inserted, moved, or edited with its hash computed anew',
  'sequence-gap': 'entries were removed, or moved to another place',
  'sequence-repeat': 'an entry was inserted, repeated or moved, or parts of two logs were put together',
  'signature-missing': 'the signature was stripped, or an entry was made without the key',
  'signature-bad': 'the entry was made or edited without the key, or signed with another one',
  'torn-tail': 'a crash in the middle of a write does this, and the next start mends it; so does cutting bytes off',
  'tail-cut': 'the last entries or files were removed, or the log was emptied',
  'checkpoint-differs':
    'entries were edited with their hashes computed anew, or log and checkpoint are of different copies',
  'checkpoint-missing': 'the checkpoint was removed or edited, or signed with another key',
  'segment-missing': 'a file was removed; one that the settings let go leaves a signed entry that says so',
  'segment-start-bad': 'files were exchanged, joined or split, or their beginning was replaced',
  'file-odd': 'a file was replaced by a link, a directory or a device',
  'key-unknown':
    'the whole log was signed anew with another key, whatever public key lies beside it; or another key is meant',
  'key-change-bad': 'somebody went on with a key that the old or the new owner did not agree to',
  'rolled-back': 'log and checkpoint were replaced by an older copy of both, or the end of both was cut',
  forked: 'two daemons went on from the same copy, or entries were written anew with the key',
  'log-replaced': 'the log was removed and a new one begun, or that of another time was put here',
  'anchor-bad': 'the checkpoint that was kept was edited, or the log was signed anew with another key',
  'loss-recorded': 'the end of the log was cut or replaced while no daemon ran',
};

/**
 * `seq`: of the entry, or of the one that should stand there; 0 when it is about the log as a whole. `file` and `line`: where it stands, counted from 1,
 * when it is about a line.
 */
export type Problem = { kind: ProblemKind; seq: number; file?: number; line?: number; detail?: string };

/** Beyond that many nothing more is looked for. */
export const MOST_PROBLEMS = 100;
