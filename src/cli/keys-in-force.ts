import { readEntries } from '../adapters/audit-log/entries.ts';
import { verifyWith } from '../adapters/keys/public-key.ts';
import { isSignature, recordStatement } from '../core/audit/chain.ts';
import { keyAfter } from '../core/audit/key-change.ts';
import type { AuditRecord } from '../core/audit/record.ts';

/** `from`: the first entry that it signs. `key`: base64. */
export type KeyInForce = { from: number; key: string };

/**
 * The keys that sign the log, each with where it begins: the one that the first entry names, and every one that a key before it handed over to. A change that
 * not both keys stand by is none, as when the log is verified. Whether any of them may be believed is for the caller to say.
 */
export function keysInForce(directory: string): KeyInForce[] {
  const keys: KeyInForce[] = [];
  let log = '';
  for (const { entries } of readEntries(directory, NAMES_KEY)) {
    for (const { record } of entries) {
      const last = keys.at(-1);
      if (last === undefined) {
        if (record.key === undefined || record.log === undefined) return [];
        log = record.log;
        keys.push({ from: record.seq, key: record.key });
      } else {
        const key = isSignedBy(last.key, record) ? keyAfter(record, { log, key: last.key }, verify) : undefined;
        if (key !== undefined) keys.push({ from: record.seq + 1, key });
      }
    }
  }
  return keys;
}

/** Whether the entry's signature is one by the key (base64) over its hash. */
export const isSignedBy = (key: string, { sig, hash }: AuditRecord): boolean =>
  sig !== undefined && isSignature(sig) && verify(key, recordStatement(hash), sig);

const verify = (key: string, text: string, signature: string): boolean => {
  const bytes = Buffer.from(key, 'base64');
  return bytes.length === KEY_BYTES && verifyWith(bytes)(text, signature);
};

const KEY_BYTES = 32;
const NAMING: readonly string[] = ['log_start', 'segment', 'key_change'];
const NAMES_KEY = {
  mayMatch: (line: string) => line.includes('"key":'),
  matches: ({ action }: AuditRecord) => NAMING.includes(action),
  since: undefined,
  all: false,
};
