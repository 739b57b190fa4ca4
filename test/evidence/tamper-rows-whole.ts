import { cpSync } from 'node:fs';
import { keyChangeEntry } from '../../src/core/audit/key-change.ts';
import type { AuditFields } from '../../src/core/audit/record.ts';
import { allowed, type EvidenceLog, refused } from '../support/evidence-log.ts';
import { type LogCopy, recordOf, type Signer } from '../support/log-copy.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import type { Row } from './tamper-rows.ts';

const TIME = '2026-11-21T06:00:00.123Z';
const base64 = (key: Uint8Array) => Buffer.from(key).toString('base64');
const logOf = (log: LogCopy) => recordOf(log.line(1)).log!;
const changeOf = (log: LogCopy) => log.seqOf(({ action }) => action === 'key_change');

const COPIES: Row[] = [
  {
    technique: 'log and checkpoint are put back to an earlier state',
    kind: 'rolled-back',
    tamper: (log, { log: made }) => {
      Object.assign(log, {
        ...made.copy(made.early),
        pin: made.firstKey.fingerprint,
        anchor: made.notesBy(made.firstKey),
      });
      return log.last + 1;
    },
  },
  {
    technique: 'log and checkpoint are put back, and nobody else holds a checkpoint',
    kind: 'sound',
    tamper: (log, { log: made }) => {
      Object.assign(log, { ...made.copy(made.early), pin: made.firstKey.fingerprint, anchor: [] });
      return 0;
    },
  },
  {
    technique: 'log and checkpoint are put back to before the key changed',
    kind: 'key-unknown',
    tamper: (log, { log: made }) => {
      Object.assign(log, { ...made.copy(made.early), anchor: [] });
      return 1;
    },
  },
  {
    technique: 'the end is cut and the checkpoint made anew with the key',
    kind: 'rolled-back',
    tamper: (log, { log: made }) => {
      const last = log.last;
      log.replace(last);
      log.checkpoint = log.sealed(made.key);
      return last;
    },
  },
  {
    technique: 'an entry is written anew with the key, and the checkpoint too',
    kind: 'forked',
    tamper: (log, { log: made }) => {
      log.rewrite(log.last, (fields) => ({ ...fields, target: '/other' }), made.key.sign);
      log.checkpoint = log.sealed(made.key);
      return log.last;
    },
  },
  {
    technique: 'a copy goes on, is longer and takes the place of the log',
    kind: 'forked',
    tamper: async (log, { log: made }) => {
      const before = log.last;
      const notes: string[] = [];
      const branch = await extend(made, [refused('/one')], (note) => notes.push(note));
      Object.assign(log, await extend(made, [refused('/other'), refused('/more')]));
      log.anchor = [...log.anchor, ...notes];
      return branch.last > before ? branch.last : 0;
    },
  },
  {
    technique: 'the log goes on as it should',
    kind: 'sound',
    tamper: async (log, { log: made }) => {
      const notes: string[] = [];
      const anchor = log.anchor;
      Object.assign(log, await extend(made, [refused('/one')], (note) => notes.push(note)));
      log.anchor = [...anchor, ...notes];
      return 0;
    },
  },
  {
    technique: 'the end is cut, and the daemon starts again and goes on',
    kind: 'loss-recorded',
    tamper: async (log, { log: made }) => {
      const cut = log.clone();
      cut.replace(cut.last);
      const at = cut.last + 1;
      Object.assign(log, await extend(made, [refused('/on')], () => {}, cut), { anchor: [] });
      return at;
    },
  },
  {
    technique: 'another log of the same key takes its place',
    kind: 'log-replaced',
    tamper: async (log, { log: made }) => {
      const directory = `${temporaryDirectory()}/other`;
      const other = log.clone();
      other.files.clear();
      other.checkpoint = undefined;
      other.save(directory);
      const writer = await made.open(directory, made.key);
      await writer.append([allowed('/other')]);
      await writer.close();
      const anchor = log.anchor;
      Object.assign(log, made.copy(directory), { anchor });
      return 0;
    },
  },
];

const KEYS: Row[] = [
  { technique: 'nothing is changed, and the newest key is trusted', kind: 'sound', tamper: () => 0 },
  {
    technique: 'nothing is changed, and the first key is trusted',
    kind: 'sound',
    tamper: (log, { log: made }) => {
      log.pin = made.firstKey.fingerprint;
      return 0;
    },
  },
  {
    technique: 'the public key beside the log is exchanged and trusted',
    kind: 'key-unknown',
    tamper: (log, { stranger }) => {
      log.pin = stranger.fingerprint;
      return 1;
    },
  },
  {
    technique: 'everything is signed anew with another key, which lies beside it',
    kind: 'key-unknown',
    tamper: (log, { stranger }) => {
      resign(log, stranger);
      log.anchor = [];
      return 1;
    },
  },
  {
    technique: 'everything behind an entry is signed anew with another key',
    kind: 'signature-bad',
    tamper: (log, { stranger }) => {
      const at = log.seqOf(({ sig }) => sig !== undefined, 5);
      log.rewrite(at, (fields) => fields, stranger.sign);
      return at;
    },
  },
  {
    technique: 'the log goes on with another key that no entry names',
    kind: 'signature-bad',
    tamper: (log, { log: made }) => {
      const at = log.seqOf(({ verdict }) => verdict === 'deny', -1);
      log.rewrite(at, (fields) => fields, made.firstKey.sign);
      return at;
    },
  },
  {
    technique: 'the entry that changes the key is deleted and all behind it computed anew',
    kind: 'signature-bad',
    tamper: (log) => {
      const at = changeOf(log);
      log.rewrite(at, (fields, seq) => (seq === at ? [] : fields));
      return log.seqOf(({ seq, sig }) => seq >= at && sig !== undefined);
    },
  },
  {
    technique: 'a change of the key is appended that the new key alone signed',
    kind: 'signature-bad',
    tamper: (log, { log: made, stranger }) =>
      append(log, keyChange(log, made.key, stranger, stranger.sign), stranger.sign),
  },
  {
    technique: 'a change of the key is appended that the old key alone signed',
    kind: 'key-change-bad',
    tamper: (log, { log: made, stranger }) =>
      append(log, keyChange(log, made.key, stranger, made.key.sign), made.key.sign),
  },
  {
    technique: 'a change from a key that is not in force is appended',
    kind: 'key-change-bad',
    tamper: (log, { log: made, stranger }) =>
      append(log, keyChange(log, made.firstKey, stranger, stranger.sign), made.key.sign),
  },
  {
    technique: 'a change of the key of another log is appended',
    kind: 'key-change-bad',
    tamper: (log, { log: made, stranger }) => {
      const keys = { keyBefore: base64(made.key.publicKey), key: base64(stranger.publicKey) };
      const change = { log: '0'.repeat(32), ...keys, prev: recordOf(log.line(log.last)).hash };
      return append(log, keyChangeEntry(change, TIME, stranger.sign), made.key.sign);
    },
  },
  {
    technique: 'a change of the key is appended that both keys signed, with a checkpoint',
    kind: 'sound',
    tamper: (log, { log: made, stranger }) => {
      append(log, keyChange(log, made.key, stranger, stranger.sign), made.key.sign);
      log.checkpoint = log.sealed(stranger);
      return 0;
    },
  },
  {
    technique: 'the same, and the checkpoint is by the key that was',
    kind: 'checkpoint-missing',
    tamper: (log, { log: made, stranger }) => {
      const at = append(log, keyChange(log, made.key, stranger, stranger.sign), made.key.sign);
      log.checkpoint = log.sealed(made.key);
      return at;
    },
  },
];

const OLD_KEY: Row[] = [
  {
    technique: 'whoever has the key that was changed writes all before the change anew, with a checkpoint of that time',
    kind: 'key-change-bad',
    tamper: (log, { log: made }) => {
      const at = changeOf(log);
      const { firstKey } = made;
      for (const file of log.files.keys()) if (log.begins(file) > at) log.files.delete(file);
      for (const seq of log.records().map((record) => record.seq)) if (seq > at) log.replace(seq);
      const forge = (fields: AuditFields) => (fields.verdict === 'deny' ? allowed(fields.target!) : fields);
      log.rewrite(2, forge, firstKey.sign);
      const change = log.line(at);
      log.replace(at);
      log.checkpoint = log.sealed(firstKey);
      log.setLines(log.lastFile, [...log.lines(log.lastFile), change]);
      log.anchor = [];
      return at;
    },
  },
];

const BEHIND: Row[] = [
  {
    // As a daemon leaves it within half a second: both say how much of the log no checkpoint tells of.
    technique: 'an allow without a signature is appended behind the last checkpoint',
    kind: 'sound',
    tamper: (log, { log: made }) => {
      log.checkpoint = log.sealed(made.key);
      append(log, allowed('/made/up'), made.key.sign);
      return 0;
    },
  },
];

const BEGINNINGS: Row[] = [
  {
    technique: 'a file of the number 0, which none of a log has, is put there',
    kind: 'sound',
    tamper: (log) => {
      log.files.set(0, '{}\n');
      return 0;
    },
  },
  {
    technique: 'old files are removed, and an entry said so before',
    kind: 'sound',
    tamper: (log, { log: made }) => {
      append(log, pruned(log, 2), made.key.sign);
      log.checkpoint = log.sealed(made.key);
      for (const file of [1, 2]) log.files.delete(file);
      log.pin = made.key.fingerprint;
      return 0;
    },
  },
  {
    technique: 'more old files are removed than an entry says',
    kind: 'segment-missing',
    tamper: (log, { log: made }) => {
      append(log, pruned(log, 1), made.key.sign);
      log.checkpoint = log.sealed(made.key);
      for (const file of [1, 2]) log.files.delete(file);
      return 1;
    },
  },
  {
    technique: 'old files are removed, and another key signed the entry that says so',
    kind: 'signature-bad',
    tamper: (log, { stranger }) => {
      const at = append(log, pruned(log, 2), stranger.sign);
      for (const file of [1, 2]) log.files.delete(file);
      return at;
    },
  },
  {
    technique: 'the entry that a file begins with tells of another tree, computed anew',
    kind: 'signature-bad',
    tamper: (log) => {
      const at = log.begins(3);
      log.rewrite(at, (fields, seq) => (seq === at ? { ...fields, tree: otherTree(fields.tree!) } : fields));
      return at;
    },
  },
  {
    technique: 'the same, signed with the key',
    kind: 'segment-start-bad',
    tamper: (log, { log: made }) => {
      const at = log.begins(log.lastFile);
      log.rewrite(
        at,
        (fields, seq) => (seq === at ? { ...fields, tree: otherTree(fields.tree!) } : fields),
        made.key.sign,
      );
      return at;
    },
  },
  {
    technique: 'a file begins with its second entry, computed anew and signed with the key',
    kind: 'segment-start-bad',
    tamper: (log, { log: made }) => {
      const at = log.begins(log.lastFile);
      log.rewrite(at, (fields, seq) => (seq === at ? [] : fields), made.key.sign);
      return at;
    },
  },
  {
    technique: 'two files are joined',
    kind: 'segment-start-bad',
    tamper: (log) => {
      const at = log.begins(log.lastFile);
      log.files.set(log.lastFile - 1, log.files.get(log.lastFile - 1)! + log.files.get(log.lastFile)!);
      log.files.delete(log.lastFile);
      return at;
    },
  },
  {
    technique: 'a second beginning of a log is appended',
    kind: 'segment-start-bad',
    tamper: (log, { log: made }) =>
      append(log, { action: 'log_start', time: TIME, log: logOf(log), key: base64(made.key.publicKey) }, made.key.sign),
  },
  {
    technique: 'the first entry says that the log is another one, and the key signed it',
    kind: 'segment-start-bad',
    tamper: (log, { log: made }) => {
      log.rewrite(1, (fields, seq) => (seq === 1 ? { ...fields, log: 'another' } : fields), made.firstKey.sign);
      return 1;
    },
  },
];

export const ROWS_OF_WHOLE: readonly Row[] = [...COPIES, ...KEYS, ...OLD_KEY, ...BEHIND, ...BEGINNINGS];

/** Behind the last entry. Returns its number. */
function append(log: LogCopy, fields: AuditFields, sign: Signer['sign']): number {
  const last = log.last;
  const line = log.line(last);
  log.rewrite(last, (own) => [own, fields], sign);
  log.replace(last, line); // which was not signed anew
  return last + 1;
}

function keyChange(log: LogCopy, before: Signer, after: Signer, sign: Signer['sign']): AuditFields {
  const { hash: prev } = recordOf(log.line(log.last));
  const change = { log: logOf(log), keyBefore: base64(before.publicKey), key: base64(after.publicKey), prev };
  return keyChangeEntry(change, TIME, sign);
}

function pruned(log: LogCopy, segment: number): AuditFields {
  return { action: 'pruned', time: TIME, segment, last: log.begins(segment + 1) - 1, count: 1 };
}

function resign(log: LogCopy, signer: Signer): void {
  const key = base64(signer.publicKey);
  log.rewrite(
    1,
    (fields) => {
      if (fields.action === 'key_change') return { action: 'note', time: fields.time };
      return fields.key === undefined ? fields : { ...fields, key };
    },
    signer.sign,
  );
  log.checkpoint = log.sealed(signer);
}

const otherTree = (tree: string) => base64(Buffer.from(tree, 'base64').map((byte) => byte ^ 1));

/** The log, or what somebody made of it, with more entries by the one who writes it. */
async function extend(
  made: EvidenceLog,
  records: readonly AuditFields[],
  checkpointed: (note: string) => void = () => {},
  from?: LogCopy,
): Promise<LogCopy> {
  const directory = `${temporaryDirectory()}/log`;
  if (from === undefined) cpSync(made.directory, directory, { recursive: true });
  else from.save(directory);
  const writer = await made.open(directory, made.key, { checkpointed });
  await writer.append(records);
  await writer.close();
  return made.copy(directory);
}
