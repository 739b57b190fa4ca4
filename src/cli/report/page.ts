import { durationText } from '../render/amounts.ts';
import { refusalSection, remarkSection, shownSection } from './entry-sections.ts';
import { type Html, type HtmlValue, html, lines, told } from './html.ts';
import { timePlot } from './plots.ts';
import type { RunReport } from './run-report.ts';
import { changedSection, connectionSection, programSection, ruleSection } from './sections.ts';
import { STYLE } from './style.ts';
import { refusedOf, sumOf } from './tally.ts';

/** What was found when the log was verified for the page. */
export type Verified = {
  ok: boolean;
  /** In words. */
  text: string;
  /** The signed note that covers the entries; undefined when there is none. */
  checkpoint: string | undefined;
  /** Whose signatures were believed, in words. */
  trusted: string;
  /** Fingerprints of the log's keys. */
  signedBy: readonly string[];
  /** Who else holds checkpoints, and how many of them were of this log. */
  comparedWith: readonly { holder: string; compared: number; error?: string }[];
};

/** A page about one run that needs nothing else: no scripts, no other files, and nothing in it can be made to act. */
export function reportPage(report: RunReport, verified: Verified | undefined, made: string): string {
  const { name, tally } = report;
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<title>Run ${told(name, 60)}: what it did and was refused</title><style>${{ html: STYLE }}</style></head><body><main>
${heading(report)}${tiles(report)}
<h2>Over time</h2><div class="card"><p class="soft">${KEYS}</p>${timePlot(tally.timeline.state)}</div>
${refusalSection(tally.refusals)}${connectionSection(tally.destinations)}${programSection(tally.programs)}${changedSection(tally.files)}
${ruleSection(tally.voices)}${remarkSection(report.remarks)}${shownSection(report)}${evidence(report, verified, made)}
</main></body></html>
`;
  return page.html;
}

const KEYS = html`<i class="key allowed"></i>allowed and recorded <i class="key refused"></i>refused`;

function heading({ id, name, created, started, ended, policies }: RunReport): Html {
  const begin = started ?? created;
  const took = begin && ended ? durationText(Date.parse(ended.time) - Date.parse(begin.time)) : undefined;
  const state =
    ended === undefined
      ? 'had not ended when this page was made'
      : ended.action === 'run_lost'
        ? 'was lost: its supervisor was gone without a word'
        : `ended with status ${ended.status ?? '?'}`;
  const rows: readonly (readonly [string, HtmlValue])[] = [
    ['Command', (started ?? created)?.command && html`<code>${(started ?? created)?.command}</code>`],
    ['Directory', begin?.cwd && html`<code>${begin.cwd}</code>`],
    ['Run', html`<code>${id}</code>`],
    ['Began', begin && `${begin.time}${took === undefined ? '' : `, took ${took}`}`],
    ['Enforced by', begin?.enforce && `${begin.enforce}${begin.simulate ? ', simulated: nothing was refused' : ''}`],
    [
      'Policy',
      policies.map(
        ({ digest, seq }) => html`<div><code>${digest}</code> <span class="soft">from entry ${seq} on</span></div>`,
      ) as unknown as Html,
    ],
  ];
  const shown = rows.flatMap(([title, value]) => (value ? [html`<dt>${title}</dt><dd>${value}</dd>`] : []));
  return html`<h1>${told(name, 120)}</h1><p class="soft">A run under gatekeeper. It ${state}.</p><div class="card"><dl>${shown}</dl></div>`;
}

function tiles({ tally, ended }: RunReport): Html {
  const refused = refusedOf(tally.verdicts);
  const rows: readonly (readonly [string, number | undefined, (string | undefined)?])[] = [
    ['system calls and requests decided', ended?.count],
    ['decisions recorded', sumOf(tally.verdicts)],
    ['refused', refused, refused > 0 ? 'refused' : undefined],
    ['allowed, and failed then', tally.failed || undefined],
    [tally.programs.size === 1 ? 'program' : 'programs', tally.programs.size],
    [tally.destinations.size === 1 ? 'destination' : 'destinations', tally.destinations.size],
  ];
  const shown = rows.flatMap(([text, amount, kind]) =>
    amount === undefined
      ? []
      : [html`<div class="${`tile ${kind ?? ''}`}"><b>${amount.toLocaleString('en')}</b><span>${text}</span></div>`],
  );
  return html`<div class="tiles">${shown}</div>`;
}

function evidence({ tally }: RunReport, verified: Verified | undefined, made: string): Html {
  const { first, last, entries } = tally;
  const range = first && last ? `${entries} entries of the log, from ${first.seq} to ${last.seq}` : 'no entries';
  const state = verified && html`<p class="${verified.ok ? 'sound' : 'unsound'}">${verified.text}</p>`;
  const ends = [first, last].flatMap((record) =>
    record ? [html`<dt>Hash of entry ${record.seq}</dt><dd><code>${record.hash}</code></dd>`] : [],
  );
  const note =
    verified?.checkpoint &&
    html`<p class="soft">The log at that moment, as a signed note (C2SP tlog-checkpoint). Kept elsewhere, it shows whether the log was changed since:</p><pre class="mono">${lines(verified.checkpoint)}</pre>`;
  return html`<h2>Evidence</h2><div class="card"><p>This page was made from ${range}, on ${made}. It is a copy for reading; the log is the evidence: <code>gatekeeper audit verify</code>, and for one entry <code>gatekeeper audit prove SEQ</code>.</p>
${state}<dl>${ends}${verified && trustRows(verified)}</dl>${note}</div>`;
}

/** What the verification rested on, without which its result says little. */
function trustRows({ trusted, signedBy, comparedWith }: Verified): Html {
  const asked = comparedWith.map(
    ({ holder, compared, error }) =>
      html`<div>${holder}: ${compared} ${compared === 1 ? 'checkpoint' : 'checkpoints'} compared${error && `; ${error}`}</div>`,
  );
  const nobody = comparedWith.every(({ compared }) => compared === 0)
    ? html`<div>nobody else that was asked: an older copy of the whole log would look the same</div>`
    : undefined;
  const signers = signedBy.map((key) => html`<div><code>${key}</code></div>`);
  return html`<dt>Key trusted</dt><dd><code>${trusted}</code></dd><dt>Signed by</dt><dd>${signers}</dd><dt>Compared with</dt><dd>${asked}${nobody}</dd>`;
}
