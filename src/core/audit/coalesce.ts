import type { AuditFields } from './record.ts';

/**
 * Puts refusals of one batch that differ in nothing but their time and number into one receipt each, with a `count`: a program that tries again
 * and again must not fill the disk. Whatever is no refusal ends a group, so receipts stay in the order of the journal.
 *
 * A crash in the middle of the write that follows must not lose any. A receipt therefore bears the number of its first refusal, in ascending order, and
 * only the last one of a group of receipts says `through`, up to where all of them together go: what is not covered by what was written is read
 * again, and at worst counted twice.
 */
export function coalesceRefusals(receipts: readonly AuditFields[]): AuditFields[] {
  const out: AuditFields[] = [];
  let open = new Map<string, AuditFields>();
  let through = 0;
  const flush = (): void => {
    const group = [...open.values()];
    const last = group.at(-1);
    if (last !== undefined && last.n !== through) last.through = through;
    out.push(...group);
    open = new Map();
  };
  for (const receipt of receipts) {
    if (!isRefusal(receipt)) {
      flush();
      out.push(receipt);
      continue;
    }
    const { time, n, ...same } = receipt;
    const key = JSON.stringify(same);
    const first = open.get(key);
    if (first === undefined) open.set(key, { ...receipt });
    else Object.assign(first, { count: (first.count ?? 1) + 1, until: time });
    through = n ?? 0;
  }
  flush();
  return out;
}

/** A decision of the journal; those of the egress come one by one. */
function isRefusal({ verdict, n }: AuditFields): boolean {
  return n !== undefined && (verdict === 'deny' || verdict === 'would-deny');
}
