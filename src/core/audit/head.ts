import { canonical, parseCanonical } from './canonical.ts';
import { isSignature, type SignText } from './chain.ts';
import { CHAIN_START, type ChainHead } from './record.ts';

/** A statement about where the chain stood, kept beside the log, so that entries cut off its end are missed. */
export type SignedHead = ChainHead & { time: string; sig: string };

export function sealHead(head: ChainHead, time: string, sign: SignText): string {
  const body = { hash: head.hash, seq: head.seq, time };
  return canonical({ ...body, sig: sign(headStatement(body)) });
}

/** The head that a file tells of, or undefined when it tells of none or its signature is not the key's. */
export function openHead(
  text: string,
  verify: (statement: string, signature: string) => boolean,
): SignedHead | undefined {
  const value = parseCanonical(text.trimEnd());
  if (value === undefined || value === 'other-form') return undefined;
  const { hash, seq, time, sig } = value;
  if (typeof hash !== 'string' || hash.length !== CHAIN_START.hash.length) return undefined;
  if (typeof seq !== 'number' || typeof time !== 'string' || typeof sig !== 'string') return undefined;
  return isSignature(sig) && verify(headStatement({ hash, seq, time }), sig) ? { hash, seq, time, sig } : undefined;
}

const headStatement = (body: { hash: string; seq: number; time: string }) =>
  `gatekeeper audit head 1\n${canonical(body)}\n`;
