import { durationText } from '../render/amounts.ts';
import { type Html, html, told } from './html.ts';
import type { Slot } from './timeline.ts';

/** Bars over time: what was allowed, and above it what was refused. Times are in milliseconds. */
export function timePlot({ width, slots }: { width: number; slots: readonly Slot[] }): Html {
  const most = Math.max(1, ...slots.map(({ allowed, refused }) => allowed + refused));
  const step = PLOT.width / Math.max(slots.length, LEAST_SLOTS);
  const scale = (amount: number) => (amount === 0 ? 0 : Math.max(MIN_BAR, (amount / most) * PLOT.height));
  const bars = slots.map(({ allowed, refused }, at) => {
    const [low, high] = [scale(allowed), scale(refused)];
    const x = PLOT.left + at * step;
    const title = `${durationText(at * width)} to ${durationText((at + 1) * width)}: ${allowed} allowed, ${refused} refused`;
    return html`<g><title>${title}</title>${bar('allowed', x, PLOT.height - low, step, low)}${bar('refused', x, PLOT.height - low - high, step, high)}</g>`;
  });
  const end = width * Math.max(slots.length, LEAST_SLOTS);
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const x = PLOT.left + part * PLOT.width;
    const anchor = part === 0 ? 'start' : part === 1 ? 'end' : 'middle';
    return html`<line x1="${x}" x2="${x}" y1="${PLOT.height + 8}" y2="${PLOT.height + 13}"/><text x="${x}" y="${PLOT.height + 28}" text-anchor="${anchor}">${durationText(end * part)}</text>`;
  });
  const size = `0 0 ${PLOT.left + PLOT.width + 4} ${PLOT.height + 36}`;
  return html`<svg class="plot" viewBox="${size}" role="img" aria-label="Decisions over the time of the run">
<g class="grid"><line x1="${PLOT.left}" x2="${PLOT.left + PLOT.width}" y1="8" y2="8"/><text x="${PLOT.left - 8}" y="12" text-anchor="end">${most}</text>
<line x1="${PLOT.left}" x2="${PLOT.left + PLOT.width}" y1="${PLOT.height + 8}" y2="${PLOT.height + 8}"/><text x="${PLOT.left - 8}" y="${PLOT.height + 12}" text-anchor="end">0</text></g>
${bars}<g class="grid">${ticks}</g></svg>`;
}

export type Bar = { label: string; parts: readonly { kind: string; amount: number; text: string }[] };

/** Bars beside their names, the longest as wide as there is room; the amounts stand behind them as text. */
export function barPlot(bars: readonly Bar[], what: string, most = longestOf(bars)): Html {
  const rows = bars.map((one) => {
    const parts = one.parts.filter(({ amount }) => amount > 0);
    const drawn = parts.map(
      ({ kind, amount, text }) =>
        html`<i class="${kind}" style="width:${((amount / most) * 100).toFixed(2)}%" title="${text}"></i>`,
    );
    return html`<tr><th scope="row">${told(one.label, 90)}</th><td class="bar"><div>${drawn}</div></td><td class="amount">${parts.map(({ text }) => text).join(', ')}</td></tr>`;
  });
  return html`<table class="bars" aria-label="${what}"><tbody>${rows}</tbody></table>`;
}

/** Of the bars of one plot, or of several that are to be compared. */
export const longestOf = (bars: readonly Bar[]): number =>
  Math.max(1, ...bars.map(({ parts }) => parts.reduce((total, { amount }) => total + amount, 0)));

function bar(kind: string, x: number, y: number, step: number, height: number): Html | undefined {
  if (height === 0) return undefined;
  const gap = step > 4 ? 1 : 0;
  return html`<rect class="${kind}" x="${x.toFixed(2)}" y="${(y + 8).toFixed(2)}" width="${(step - gap).toFixed(2)}" height="${height.toFixed(2)}"/>`;
}

const PLOT = { left: 56, width: 940, height: 150 };
/** So that the few moments of a short run are not a wall. */
const LEAST_SLOTS = 24;
const MIN_BAR = 2;
