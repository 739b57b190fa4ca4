import type { AuditRecord } from '../audit/record.ts';
import { ACTION, type ActionName } from '../wire/messages.ts';

/** A receipt of a decision. */
export type RecordedDecision = AuditRecord & {
  action: ActionName;
  verdict: NonNullable<AuditRecord['verdict']>;
  source: NonNullable<AuditRecord['source']>;
};

/** Whether the entry tells of a decision, and not of how something ended or of the log itself. */
export function isDecision(record: AuditRecord): record is RecordedDecision {
  return record.verdict !== undefined && record.source !== undefined && Object.hasOwn(ACTION, record.action);
}

/** Whether the members that are looked at here are of their kinds: what is read was not verified. */
export function isWellFormed(record: AuditRecord): boolean {
  const members: Readonly<Record<string, unknown>> = record;
  for (const name in members) {
    const kind = KIND_OF.get(name);
    if (kind !== undefined && typeof members[name] !== kind) return false;
  }
  return true;
}

/** How many decisions the receipt stands for. */
export const countOf = ({ count = 1 }: AuditRecord): number => (Number.isSafeInteger(count) && count > 0 ? count : 1);

type Named = 'target' | 'target2' | 'command' | 'alias' | 'called' | 'interpreter' | 'line';

/** The bytes of what a receipt shows as text; undefined when it says nothing of the kind. */
export function bytesOf(record: AuditRecord, name: Named): Uint8Array | undefined {
  const raw = record[`${name}Bytes`];
  if (raw !== undefined) return fromBase64(raw);
  const text = record[name];
  return text === undefined ? undefined : UTF8.encode(text);
}

function fromBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

const KIND_OF: ReadonlyMap<string, string> = new Map(
  [
    ['string', 'action time run policy verdict source rule pierced reason target targetBytes target2 target2Bytes'],
    ['string', 'command commandBytes alias aliasBytes called calledBytes interpreter interpreterBytes line lineBytes'],
    ['string', 'mayWrite destination address via known method path'],
    ['number', 'seq port count'],
    ['boolean', 'byInterpreter overridden own'],
  ].flatMap(([kind, names]) => names!.split(' ').map((name) => [name, kind!] as const)),
);
const UTF8 = new TextEncoder();
