import type { AuditFields, AuditRecord } from '../../src/core/audit/record.ts';
import type { ProblemKind } from '../../src/core/audit/verify.ts';
import { allowed, type EvidenceLog, refused, type strangersKey } from '../support/evidence-log.ts';
import { type LogCopy, recordOf, type Sign } from '../support/log-copy.ts';

export type Row = {
  technique: string;
  /** `sound`: nothing is missing or wrong, so nothing may be told. */
  kind: ProblemKind | 'sound';
  /** Changes the copy. Returns the number of the first bad entry; 0 for what no entry can be named for, and for a sound log. */
  tamper: (log: LogCopy, made: Made) => number | Promise<number>;
};
export type Made = { log: EvidenceLog; stranger: ReturnType<typeof strangersKey> };

const isAllow = ({ verdict, action }: AuditRecord) => verdict === 'allow' && action === 'file_read';
const isRefusal = ({ verdict }: AuditRecord) => verdict === 'deny';
/** In the middle of the log, before the key changes. */
const anAllow = (log: LogCopy) => log.seqOf(isAllow, 3);
const aRefusal = (log: LogCopy) => log.seqOf(isRefusal, 3);
const signedFrom = (log: LogCopy, from: number) => log.seqOf(({ seq, sig }) => seq >= from && sig !== undefined);
const other = (line: string) => line.replace('"target":"', '"target":"/other');

const EDITS: Row[] = [
  { technique: 'the target of an allow is edited', kind: 'wrong-hash', tamper: (log) => log.edit(anAllow(log), other) },
  {
    technique: 'a refusal is edited into an allow',
    kind: 'wrong-hash',
    tamper: (log) => log.edit(aRefusal(log), (line) => line.replace('"verdict":"deny"', '"verdict":"allow"')),
  },
  {
    technique: 'the time of the first entry is edited',
    kind: 'wrong-hash',
    tamper: (log) => log.edit(1, (line) => line.replace('"time":"2', '"time":"1')),
  },
  {
    technique: 'a member is stripped',
    kind: 'wrong-hash',
    tamper: (log) => log.edit(aRefusal(log), (line) => line.replace(/"target":"[^"]*",/, '')),
  },
  {
    technique: 'the hash is stripped',
    kind: 'unparsable',
    tamper: (log) => log.edit(aRefusal(log), (line) => line.replace(/"hash":"[^"]*",/, '')),
  },
  {
    technique: 'a signature is stripped',
    kind: 'signature-missing',
    tamper: (log) => log.edit(aRefusal(log), (line) => line.replace(/"sig":"[^"]*",/, '')),
  },
  {
    technique: 'a signature is that of another entry',
    kind: 'signature-bad',
    tamper: (log) => {
      const { sig } = recordOf(log.line(log.seqOf(isRefusal, 4)));
      return log.edit(aRefusal(log), (line) => line.replace(/"sig":"[^"]*"/, `"sig":"${sig}"`));
    },
  },
  {
    technique: 'a signature is spelled in another base64',
    kind: 'signature-bad',
    tamper: (log) =>
      log.edit(aRefusal(log), (line) =>
        line.replace(/([AQgw])=="/, (_, last: string) => `${{ A: 'B', Q: 'R', g: 'h', w: 'x' }[last]}=="`),
      ),
  },
  {
    technique: 'an allow is edited and its hash computed anew',
    kind: 'broken-link',
    tamper: (log) => {
      const at = anAllow(log);
      const changed = log.clone();
      changed.rewrite(at, (fields, seq) => (seq === at ? { ...fields, target: '/other' } : fields));
      log.replace(at, changed.line(at));
      return at + 1;
    },
  },
  {
    technique: 'an allow is edited and all hashes behind it computed anew',
    kind: 'signature-bad',
    tamper: (log) => {
      const at = anAllow(log);
      log.rewrite(at, (fields, seq) => (seq === at ? { ...fields, target: '/other' } : fields));
      return signedFrom(log, at);
    },
  },
  {
    technique: 'a refusal is edited, computed anew and signed with another key',
    kind: 'signature-bad',
    tamper: (log, { stranger }) => {
      const at = aRefusal(log);
      log.rewrite(at, (fields, seq) => (seq === at ? { ...fields, target: '/other' } : fields), stranger.sign);
      return at;
    },
  },
  {
    technique: 'an allow at the end, which no signed entry follows, is edited and computed anew',
    kind: 'checkpoint-differs',
    tamper: (log) => {
      log.rewrite(log.last, (fields) => ({ ...fields, target: '/other' }));
      return log.last;
    },
  },
];

const REMOVALS: Row[] = [
  {
    technique: 'the first entry is deleted',
    kind: 'sequence-gap',
    tamper: (log) => log.replace(1) + 1,
  },
  {
    technique: 'an entry in the middle is deleted',
    kind: 'sequence-gap',
    tamper: (log) => log.replace(anAllow(log)) + 1,
  },
  { technique: 'the last entry is deleted', kind: 'tail-cut', tamper: (log) => log.replace(log.last) },
  {
    technique: 'an entry is deleted and all behind it computed anew',
    kind: 'signature-bad',
    tamper: (log) => {
      const at = aRefusal(log);
      log.rewrite(at, (fields, seq) => (seq === at ? [] : fields));
      return signedFrom(log, at);
    },
  },
  {
    technique: 'the first file is removed',
    kind: 'segment-missing',
    tamper: (log) => {
      log.files.delete(1);
      return 1;
    },
  },
  {
    technique: 'a file in the middle is removed',
    kind: 'segment-missing',
    tamper: (log) => {
      log.files.delete(2);
      return 0;
    },
  },
  {
    technique: 'the last file is removed',
    kind: 'tail-cut',
    tamper: (log) => {
      const at = log.begins(log.lastFile);
      log.files.delete(log.lastFile);
      return at;
    },
  },
  {
    technique: 'the last file is emptied',
    kind: 'tail-cut',
    tamper: (log) => {
      const at = log.begins(log.lastFile);
      log.files.set(log.lastFile, '');
      return at;
    },
  },
  {
    technique: 'a file in the middle is emptied',
    kind: 'sequence-gap',
    tamper: (log) => {
      log.files.set(2, '');
      return log.begins(3);
    },
  },
  {
    technique: 'all files are emptied',
    kind: 'tail-cut',
    tamper: (log) => {
      for (const file of log.files.keys()) log.files.set(file, '');
      return 1;
    },
  },
  {
    technique: 'all files are removed',
    kind: 'tail-cut',
    tamper: (log) => {
      log.files.clear();
      return 1;
    },
  },
  {
    technique: 'all files and the checkpoint are removed',
    kind: 'rolled-back',
    tamper: (log) => {
      log.files.clear();
      log.checkpoint = undefined;
      return 1;
    },
  },
];

const INSERTIONS: Row[] = [
  {
    technique: 'a copy of an entry is inserted behind it',
    kind: 'sequence-repeat',
    tamper: (log) => {
      const at = anAllow(log);
      return log.replace(at, log.line(at), log.line(at));
    },
  },
  {
    technique: 'an allow with the right place and hash is inserted',
    kind: 'sequence-repeat',
    tamper: (log) => insertForged(log, allowed('/forged')),
  },
  {
    technique: 'an allow is inserted and all behind it computed anew',
    kind: 'signature-bad',
    tamper: (log) => {
      const at = anAllow(log);
      log.rewrite(at, (fields, seq) => (seq === at ? [fields, allowed('/forged')] : fields));
      return log.seqOf(({ seq, sig }) => seq > at && sig !== undefined);
    },
  },
  {
    technique: 'a refusal without a signature is inserted',
    kind: 'signature-missing',
    tamper: (log) => {
      const at = insertForged(log, refused('/forged'), () => 'none');
      log.edit(at, (line) => line.replace('"sig":"none",', ''));
      return at;
    },
  },
  {
    technique: 'a refusal that another key signed is inserted',
    kind: 'signature-bad',
    tamper: (log, { stranger }) => insertForged(log, refused('/forged'), stranger.sign),
  },
  {
    technique: 'an entry is appended that another key signed',
    kind: 'signature-bad',
    tamper: (log, { stranger }) => {
      const at = log.last;
      log.rewrite(at, (fields) => [fields, refused('/forged')], stranger.sign);
      return at + 1;
    },
  },
  {
    technique: 'two entries change places',
    kind: 'sequence-gap',
    tamper: (log) => {
      const at = log.begins(2) + 1;
      const [one, two] = [log.line(at), log.line(at + 1)];
      const lines = log.lines(2);
      log.setLines(2, lines.toSpliced(1, 2, two, one));
      return at + 1;
    },
  },
  {
    technique: 'two files change places',
    kind: 'sequence-gap',
    tamper: (log) => {
      const at = log.begins(3);
      const [two, three] = [log.files.get(2)!, log.files.get(3)!];
      log.files.set(2, three).set(3, two);
      return at;
    },
  },
  {
    technique: 'a file stands there twice',
    kind: 'sequence-repeat',
    tamper: (log) => {
      const at = log.begins(log.lastFile);
      log.files.set(log.lastFile + 1, log.files.get(log.lastFile)!);
      return at;
    },
  },
];

/** Each is another way to write the same entry, or none at all. */
const SPELLINGS: readonly [string, ProblemKind, (line: string) => string][] = [
  ['a member stands there twice', 'other-form', (line) => line.replace('"verdict":"deny"', '$&,$&')],
  ['a member stands there twice with another value', 'other-form', (line) => line.replace('"v":1', '"v":2,"v":1')],
  ['members stand in another order', 'other-form', (line) => line.replace(/("v":1),("verdict":"deny")/, '$2,$1')],
  ['a number has a fraction', 'other-form', (line) => line.replace('"v":1', '"v":1.0')],
  ['a number has an exponent', 'other-form', (line) => line.replace('"v":1', '"v":1e0')],
  ['a number is minus nothing', 'other-form', (line) => line.replace('"v":1', '"v":-0')],
  ['a number is beyond what is exact', 'other-form', (line) => line.replace('"v":1', '"v":9007199254740993')],
  ['a number has thousands of digits', 'other-form', (line) => line.replace('"v":1', `"v":1${'0'.repeat(5000)}`)],
  ['a number begins with a zero', 'unparsable', (line) => line.replace('"v":1', '"v":01')],
  ['a number is none', 'unparsable', (line) => line.replace('"v":1', '"v":NaN')],
  ['the number of the entry is a text', 'unparsable', (line) => line.replace(/"seq":(\d+)/, '"seq":"$1"')],
  ['the version is true', 'unparsable', (line) => line.replace('"v":1', '"v":true')],
  ['a letter is escaped', 'other-form', (line) => line.replace('"verdict":"deny"', '"verdict":"den\\u0079"')],
  ['a slash is escaped', 'other-form', (line) => line.replace('"target":"/', '"target":"\\/')],
  ['an escape has large letters', 'other-form', (line) => line.replace('"target":"', '$&\\u001F')],
  ['a control character has a long escape', 'other-form', (line) => line.replace('"target":"', '$&\\u000a')],
  ['a control character stands there', 'unparsable', (line) => line.replace('"target":"', '$&\t')],
  ['half a surrogate pair is escaped', 'other-form', (line) => line.replace('"target":"', '$&\\ud800')],
  ['half a surrogate pair stands there', 'unparsable', (line) => line.replace('"target":"', '$&\xed\xa0\x80')],
  ['a byte is no UTF-8', 'unparsable', (line) => line.replace('"target":"', '$&\xff')],
  ['a character is longer than it must be', 'unparsable', (line) => line.replace('"target":"', '$&\xc0\xaf')],
  ['a value is nothing', 'other-form', (line) => line.replace('"v":1', '"n":null,"v":1').replace(/"n":\d+,/, '')],
  ['a value is a list', 'other-form', (line) => line.replace('"verdict":"deny"', '"verdict":["deny"]')],
  ['a value is deeply nested', 'other-form', (line) => line.replace('"deny"', `${'['.repeat(9e4)}${']'.repeat(9e4)}`)],
  ['a name is a number', 'other-form', (line) => line.replace('{', '{"1":1,')],
  ['the record stands in a list', 'unparsable', (line) => `[${line}]`],
  ['white space stands between members', 'other-form', (line) => line.replace(',', ', ')],
  ['a blank stands behind the record', 'other-form', (line) => `${line} `],
  ['the line ends as those of other systems', 'other-form', (line) => `${line}\r`],
  ['a byte order mark stands before the record', 'unparsable', (line) => `\xef\xbb\xbf${line}`],
  ['a comment stands behind the record', 'unparsable', (line) => `${line}//`],
  ['an empty line stands before the record', 'unparsable', (line) => `\n${line}`],
  ['bytes of nothing stand there', 'unparsable', (line) => '\0'.repeat(line.length)],
  ['half of the line is gone', 'unparsable', (line) => line.slice(0, line.length / 2)],
];

export const ROWS_OF_ENTRIES: readonly Row[] = [
  ...EDITS,
  ...REMOVALS,
  ...INSERTIONS,
  ...SPELLINGS.map(
    ([technique, kind, change]): Row => ({ technique, kind, tamper: (log) => log.edit(aRefusal(log), change) }),
  ),
  {
    technique: 'two lines are joined',
    kind: 'unparsable',
    tamper: (log) => {
      const at = anAllow(log);
      const next = log.line(at + 1);
      log.replace(at + 1);
      return log.edit(at, (line) => line + next);
    },
  },
  {
    technique: 'the last newline is gone',
    kind: 'torn-tail',
    tamper: (log) => {
      const at = log.last;
      log.files.set(log.lastFile, log.files.get(log.lastFile)!.slice(0, -1));
      return at;
    },
  },
];

/** Behind an allow in the middle; the entries behind it stay as they are. Returns its number, which is that of the next one as well. */
function insertForged(log: LogCopy, fields: AuditFields, sign?: Sign): number {
  const at = anAllow(log);
  const forged = log.clone();
  forged.rewrite(at + 1, (own, seq) => (seq === at + 1 ? [fields, own] : own), sign);
  log.replace(at, log.line(at), forged.line(at + 1));
  return at + 1;
}
