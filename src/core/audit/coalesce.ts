import type { AuditFields } from './record.ts';

/**
 * Puts together what belongs together of one batch: the result of a call goes into the receipt that let it go on, and refusals that differ in
 * nothing but their time and number become one receipt each, with a `count`: a program that tries again and again must not fill the disk. Whatever
 * stays a receipt of its own and is no refusal ends a group, so receipts stay in the order of the journal.
 *
 * A crash in the middle of the write that follows must not lose any. A receipt therefore bears the number of its first record, in ascending order, and
 * says `through` where everything of the journal up to a higher number is told by it and by the receipts before it: what is not covered by what was
 * written is read again, and at worst told twice.
 */
export function coalesce(receipts: readonly AuditFields[]): AuditFields[] {
  const fold = new Fold();
  for (const receipt of withResults(receipts)) fold.take(receipt);
  return fold.end();
}

type Item = { receipt: AuditFields /** What has been merged into another one. */; into?: AuditFields };

/** Decisions with their results; the results that were taken in stay in their places, as what has nothing more to tell. */
function withResults(receipts: readonly AuditFields[]): Item[] {
  if (!receipts.some(({ action }) => action === 'result')) return receipts.map((receipt) => ({ receipt }));
  const decisions = new Map<number, AuditFields>();
  return receipts.map((given) => {
    const decision = given.action === 'result' ? decisions.get(given.of ?? 0) : undefined;
    if (decision !== undefined && decision.result === undefined) {
      decision.result = given.result;
      return { receipt: given, into: decision };
    }
    const receipt = { ...given };
    if (given.verdict !== undefined && given.n !== undefined) decisions.set(given.n, receipt);
    return { receipt };
  });
}

class Fold {
  readonly #out: AuditFields[] = [];
  /** Of each record of the batch, in their order: its number, and where in `out` it is told. */
  readonly #told: { n: number | undefined; at: number }[] = [];
  readonly #places = new Map<AuditFields, number>();
  #open = new Map<string, AuditFields>();

  take({ receipt, into }: Item): void {
    if (into !== undefined) this.#tell(receipt, this.#places.get(into)!);
    else if (!isRefusal(receipt)) {
      this.#open = new Map();
      this.#add(receipt, receipt);
    } else {
      const key = keyOf(receipt);
      const first = this.#open.get(key);
      if (first !== undefined) {
        Object.assign(first, { count: (first.count ?? 1) + 1, until: receipt.time });
        this.#tell(receipt, this.#places.get(first)!);
        this.#places.set(receipt, this.#places.get(first)!);
      } else {
        const copy = { ...receipt };
        this.#open.set(key, copy);
        this.#add(receipt, copy);
      }
    }
  }

  end(): AuditFields[] {
    let next = 0;
    let through = 0;
    let said = 0;
    this.#out.forEach((receipt, at) => {
      for (; next < this.#told.length && this.#told[next]!.at <= at; next++) through = this.#told[next]!.n ?? through;
      said = Math.max(said, receipt.n ?? 0);
      if (through > said) said = receipt.through = through;
    });
    return this.#out;
  }

  #add(receipt: AuditFields, told: AuditFields): void {
    this.#places.set(receipt, this.#out.length);
    this.#places.set(told, this.#out.length);
    this.#tell(receipt, this.#out.length);
    this.#out.push(told);
  }

  #tell({ n }: AuditFields, at: number): void {
    this.#told.push({ n, at });
  }
}

/** What makes two refusals one. Where a result may yet come, it must find the receipt that bears its number. */
function keyOf({ time, n, ...same }: AuditFields): string {
  const waits = same.verdict === 'would-deny' && same.result === undefined && same.enforce !== 'hook';
  return JSON.stringify(waits ? { n, ...same } : same);
}

/** A decision of the journal; those of the egress come one by one. */
function isRefusal({ verdict, n }: AuditFields): boolean {
  return n !== undefined && (verdict === 'deny' || verdict === 'would-deny');
}
