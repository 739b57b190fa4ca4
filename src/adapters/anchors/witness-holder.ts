import { createHash } from 'node:crypto';
import { parseCheckpoint, type SignedCheckpoint } from '../../core/audit/checkpoint.ts';
import { type Cosigner, cosignedAt, parseCosigner } from '../../core/audit/cosignature.ts';
import { consistencyProof } from '../../core/audit/merkle.ts';
import type { AuditSettings } from '../../core/audit/settings.ts';
import { treeHasher } from '../audit-log/tree-hasher.ts';
import { TreeReader } from '../audit-log/tree-reader.ts';
import { writeFileAtomic } from '../process/atomic-file.ts';
import { ensurePrivateDirectory } from '../process/private-directory.ts';
import { readIfThere } from '../process/shared-file.ts';
import { verifyEd25519 } from './ed25519.ts';
import type { HeldNote, Holder } from './holder.ts';
import { closeWitness, postCheckpoint, type WitnessAnswer } from './witness-request.ts';

export type WitnessOptions = AuditSettings['anchors']['witnesses'][number] & {
  logDirectory: string;
  /** Where the newest cosigned checkpoint of each witness is kept. */
  keptIn: string;
};

/**
 * A witness (C2SP tlog-witness): it cosigns a checkpoint only if that follows from the last one that it has cosigned, so that it cannot be given two histories.
 * It gives nothing back later; what it has cosigned last is kept here, and whoever asks it again learns how far it has seen.
 */
export function witnessHolder({ url, key, logDirectory, keptIn }: WitnessOptions): Holder {
  const cosigner = parseCosigner(key);
  const path = `${keptIn}/${createHash('sha256').update(`${url}\n${key}`).digest('hex').slice(0, 32)}`;
  const kept = () => cosigned(readIfThere(path), cosigner);
  let reader: TreeReader | undefined;
  /** With the proof from what the witness has to the checkpoint. The reader is used again only after all went well. */
  const submit = async (note: string, { size }: SignedCheckpoint, old: number, signal: AbortSignal) => {
    const from = reader?.before.end === old ? reader : await TreeReader.open(logDirectory, old);
    reader = undefined;
    await from.readTo(size);
    const proof = consistencyProof(treeHasher, from.before, from.after);
    return { ...(await postCheckpoint(url, { old, proof, note }, signal)), from };
  };
  return {
    name: `witness ${cosigner.name} at ${url}`,
    pauseMs: PAUSE_MS,
    put: async (note, signal) => {
      const checkpoint = parseCheckpoint(note);
      if (checkpoint === undefined) throw new Error('it is no checkpoint');
      const last = kept()?.checkpoint;
      const old = last?.origin === checkpoint.origin && last.size <= checkpoint.size ? last.size : 0;
      let answer = await submit(note, checkpoint, old, signal);
      if (answer.status === 409 && answer.seen !== undefined && answer.seen !== old) {
        refuseAhead(answer.seen, checkpoint);
        answer = await submit(note, checkpoint, answer.seen, signal);
      }
      const whole = note + linesOf(answer);
      if (cosigned(whole, cosigner) === undefined) throw new Error('its answer has no cosignature by its key');
      ensurePrivateDirectory(keptIn);
      writeFileAtomic(path, whole, { durable: true });
      answer.from.advance();
      reader = answer.from;
    },
    read: async (origin) => {
      const text = readIfThere(path);
      if (text === undefined) return [];
      const found = cosigned(text, cosigner);
      if (found === undefined) throw new Error(`what is kept of it in ${path} is not cosigned by its key`);
      if (origin !== undefined && found.checkpoint.origin !== origin) return [];
      return [{ note: text, time: found.time } satisfies HeldNote];
    },
    close: () => closeWitness(url),
  };
}

function cosigned(
  note: string | undefined,
  cosigner: Cosigner,
): { checkpoint: SignedCheckpoint; time: string } | undefined {
  const checkpoint = note === undefined ? undefined : parseCheckpoint(note);
  const seconds = checkpoint && cosignedAt(checkpoint, cosigner, verifyEd25519);
  if (checkpoint === undefined || seconds === undefined || seconds > LAST_SECOND) return undefined;
  return { checkpoint, time: new Date(seconds * 1000).toISOString() };
}

function refuseAhead(seen: number, { size }: SignedCheckpoint): void {
  if (seen <= size) return;
  throw new Error(`it has seen ${seen} entries of this log, which has ${size}: an earlier state was put back`);
}

function linesOf({ status, lines, text }: WitnessAnswer): string {
  if (status === 200) return lines;
  if (status === 409) throw new Error('it has seen another log of this name: it was put back or forked');
  const why = KNOWN[status] ?? text;
  throw new Error(`it answers ${status}${why === '' ? '' : `: ${why}`}`);
}

const KNOWN: Readonly<Record<number, string>> = {
  403: 'it does not know the key that signs this log; tell it the public key',
  404: 'it does not know this log; tell it the origin and the public key',
  422: 'the consistency proof does not fit what it has seen: the log was put back or forked',
  429: 'it is asked too often',
};
/** So that a busy log does not ask a witness more often than that. */
const PAUSE_MS = 5000;
/** Of the year 9999. */
const LAST_SECOND = 253_402_300_799;
