import { bytesText } from '../render/amounts.ts';
import type { Counter } from './counter.ts';
import { type Html, html, told } from './html.ts';
import { type Bar, barPlot, longestOf } from './plots.ts';
import { type Changed, type Destination, type Program, refusedOf, sumOf, type Voice } from './tally.ts';

/** Where the run went, and how much it carried there. */
export function connectionSection(destinations: Counter<Destination>): Html | undefined {
  if (destinations.size === 0) return undefined;
  const largest = destinations.largest(({ up, down, allowed, refused }) => (up + down) * 1e6 + allowed + refused, MOST);
  const carried = largest.filter(({ up, down }) => up + down > 0);
  const plot = barPlot(
    carried.slice(0, 12).map(
      ({ place, up, down }): Bar => ({
        label: place,
        parts: [
          { kind: 'up', amount: up, text: `${bytesText(up)} up` },
          { kind: 'down', amount: down, text: `${bytesText(down)} down` },
        ],
      }),
    ),
    'Bytes by destination',
  );
  const rows = largest.map(
    ({ place, allowed, refused, failed, up, down }) =>
      html`<tr><td><code>${told(place)}</code></td>${[allowed, refused, failed].map(number)}<td class="number">${up ? bytesText(up) : ''}</td><td class="number">${down ? bytesText(down) : ''}</td></tr>`,
  );
  const titles = ['allowed', 'refused', 'failed', 'bytes up', 'bytes down'];
  const keys = html`<p class="soft"><i class="key up"></i>sent <i class="key down"></i>received</p>`;
  return html`<h2>Connections</h2><div class="card">${carried.length > 0 ? [keys, plot] : undefined}
<table><thead><tr><th>destination</th>${titles.map((title) => html`<th class="number">${title}</th>`)}</tr></thead><tbody>${rows}</tbody></table>${rest(destinations.size, largest.length, destinations.others)}</div>`;
}

/** Which programs were started, and how often. */
export function programSection(programs: Counter<Program>): Html | undefined {
  if (programs.size === 0) return undefined;
  const largest = programs.largest(({ started, refused }) => started + refused, MOST);
  const bars = largest.map(
    ({ path, started, refused }): Bar => ({
      label: path,
      parts: [
        { kind: 'allowed', amount: started, text: times(started, 'start', 'starts') },
        { kind: 'refused', amount: refused, text: `${refused} refused` },
      ],
    }),
  );
  return html`<h2>Programs</h2><div class="card">${barPlot(bars.slice(0, MOST_BARS), 'Starts by program')}${more(bars)}${rest(programs.size, largest.length, programs.others)}</div>`;
}

/** What happened to files, as far as rules ask for it to be recorded. */
export function changedSection(files: Counter<Changed>): Html | undefined {
  if (files.size === 0) return undefined;
  const largest = files.largest(({ count }) => count, MOST);
  const rows = largest.map(
    ({ action, path, count, result }) =>
      html`<tr><td>${action.replace('file_', '')}</td><td><code>${told(path)}</code></td><td>${result === 'ok' ? '' : result}</td>${number(count)}</tr>`,
  );
  return html`<h2>Files and sockets, allowed and recorded</h2><div class="card"><table><thead><tr><th>what</th><th>where</th><th>failed with</th><th class="number">times</th></tr></thead><tbody>${rows}</tbody></table>${rest(files.size, largest.length, files.others)}</div>`;
}

/** Which rules spoke. */
export function ruleSection(voices: Counter<Voice>): Html | undefined {
  if (voices.size === 0) return undefined;
  const largest = voices.largest(({ verdicts }) => sumOf(verdicts), MOST);
  const bars = largest.map(({ label, verdicts }): Bar => {
    const refused = refusedOf(verdicts);
    return {
      label,
      parts: [
        { kind: 'allowed', amount: verdicts.allow, text: `${verdicts.allow} allowed` },
        { kind: 'refused', amount: refused, text: `${refused} refused` },
      ],
    };
  });
  return html`<h2>Rules that decided</h2><div class="card">${barPlot(bars.slice(0, MOST_BARS), 'Decisions by rule')}${more(bars)}${rest(voices.size, largest.length, voices.others)}</div>`;
}

function more(bars: readonly Bar[]): Html | undefined {
  if (bars.length <= MOST_BARS) return undefined;
  const others = bars.slice(MOST_BARS);
  return html`<details><summary>${others.length} more</summary>${barPlot(others, 'More of them', longestOf(bars))}</details>`;
}

/** What a table leaves out is said. */
export function rest(there: number, shown: number, uncounted: number): Html | undefined {
  const words = [
    there > shown ? `${there - shown} more are not shown` : '',
    uncounted > 0 ? `${uncounted} more were too many to tell apart` : '',
  ].filter(Boolean);
  return words.length === 0 ? undefined : html`<p class="soft">${words.join('; ')}.</p>`;
}

export const number = (amount: number): Html =>
  html`<td class="number">${amount === 0 ? '' : amount.toLocaleString('en')}</td>`;
const times = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`;
const MOST = 60;
const MOST_BARS = 15;
