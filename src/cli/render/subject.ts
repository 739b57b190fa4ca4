import type { Witness } from '../../core/analysis/differences.ts';
import { requestText } from '../../core/analysis/subject-text.ts';
import { visible } from '../../core/text/visible.ts';

/** A path or command as text that is safe to print; bytes that are no UTF-8 are shown as such. */
export function subjectText(bytes: Uint8Array): string {
  return visible(new TextDecoder().decode(bytes));
}

export function witnessText(witness: Witness): string {
  if ('path' in witness) return subjectText(witness.path);
  if ('request' in witness) return visible(requestText(witness.request));
  const { before, after } = witness.writable;
  const where = before && after ? '' : before ? ' before' : ' after';
  const note = before || after ? `  (a program that the run can write${where})` : '';
  return `${subjectText(witness.command)}${note}`;
}
