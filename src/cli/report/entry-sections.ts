import type { AuditRecord } from '../../core/audit/record.ts';
import type { Counter } from './counter.ts';
import { type Html, html, told } from './html.ts';
import type { RunReport } from './run-report.ts';
import { number, rest } from './sections.ts';
import { type Refusal, subjectOf } from './tally.ts';

/** What was refused, the same things together, the most frequent first. */
export function refusalSection(refusals: Counter<Refusal>): Html {
  if (refusals.size === 0) return html`<h2>Refused</h2><div class="card">Nothing.</div>`;
  const largest = refusals.largest(({ count }) => count, MOST_REFUSALS);
  const rows = largest.map(
    ({ action, subject, verdict, by, reason, program, count, seq, time }) =>
      html`<tr>${number(count)}<td><span class="${`verdict ${verdict}`}">${action}</span></td><td><code>${told(subject)}</code><br><span class="soft">${program && html`by ${told(program, 80)}`}</span></td><td>${reason === 'no-rule' ? 'no rule allows it' : told(reason)}<br><span class="soft">${told(by, 80)}</span></td><td class="when">${clock(time)}<br>entry ${seq}</td></tr>`,
  );
  return html`<h2>Refused</h2><div class="card"><table><thead><tr><th class="number">times</th><th>what</th><th>where</th><th>why</th><th>first</th></tr></thead><tbody>${rows}</tbody></table>
${rest(refusals.size, largest.length, refusals.others)}<p class="soft">Why, and how to allow it: <code>gatekeeper audit show ENTRY</code></p></div>`;
}

/** Notes, changes of policy and gaps. */
export function remarkSection(remarks: readonly AuditRecord[]): Html | undefined {
  if (remarks.length === 0) return undefined;
  const rows = remarks.map(
    ({ seq, time, action, kind, text, program, target }) =>
      html`<tr><td class="when">${clock(time)}<br>entry ${seq}</td><td>${action.replace('_', ' ')}</td><td>${told([kind, text].filter(Boolean).join(': '))} <span class="soft">${told([program, target].filter(Boolean).join(' '))}</span></td></tr>`,
  );
  return html`<h2>Noticed</h2><div class="card"><table><tbody>${rows}</tbody></table></div>`;
}

/** The entries themselves. */
export function shownSection({ shown, notShown }: RunReport): Html {
  const rows = shown.map((record) => {
    const { seq, time, action, verdict, result, count } = record;
    const outcome = [count !== undefined && verdict ? `${count} times` : '', result ?? ''].filter(Boolean).join(', ');
    return html`<tr><td class="number">${seq}</td><td class="when">${clock(time)}</td><td><span class="${`verdict ${verdict ?? ''}`}">${verdict ?? ''}</span></td><td>${action}</td><td><code>${told(subjectOf(record) || (record.text ?? ''), 160)}</code></td><td>${outcome}</td></tr>`;
  });
  const more = notShown > 0 ? `; ${notShown} more are in the log` : '';
  return html`<h2>Entries</h2><div class="card"><details><summary>${shown.length} entries${more}</summary><table><thead><tr><th class="number">entry</th><th>time</th><th>verdict</th><th>action</th><th>subject</th><th></th></tr></thead><tbody>${rows}</tbody></table></details></div>`;
}

/** The time of day, UTC, as the log has it. */
const clock = (time: string): string => time.slice(11, 23);
const MOST_REFUSALS = 100;
