/** Of the page: it brings everything along, follows the reader's light or dark, and prints. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1b2230; --soft: #5c6678; --line: #dfe3ea; --page: #f5f6f8; --card: #ffffff;
  --allowed: #4f7fb8; --refused: #c8402f; --up: #7a6bb5; --down: #3d8f84; --good: #2d7d46; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --soft: #9aa4b5; --line: #333b49; --page: #14181f; --card: #1c222c;
  --allowed: #6b9fdc; --refused: #ec6a58; --up: #a597e6; --down: #57b8ab; --good: #62b97c; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 17px; margin: 36px 0 10px; }
p { margin: 6px 0; } .soft, .soft a { color: var(--soft); }
code, .mono { font: 13px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
pre.mono { white-space: pre-wrap; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 14px 18px; margin: 10px 0; overflow-x: auto; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 10px; margin: 20px 0 0; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 10px 14px; }
.tile b { display: block; font-size: 24px; line-height: 1.3; font-variant-numeric: tabular-nums; } .tile span { color: var(--soft); font-size: 13px; }
.tile.refused b { color: var(--refused); }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; vertical-align: top; padding: 5px 10px 5px 0; border-bottom: 1px solid var(--line); }
thead th { color: var(--soft); font-weight: 500; font-size: 13px; white-space: nowrap; } tbody tr:last-child > * { border-bottom: 0; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; } td.when { white-space: nowrap; color: var(--soft); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 18px; margin: 0; } dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
.verdict { font-weight: 600; } .verdict.deny, .verdict.would-deny { color: var(--refused); } .verdict.allow { color: var(--allowed); }
.sound { color: var(--good); font-weight: 600; } .unsound { color: var(--refused); font-weight: 600; }
.key { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin: 0 5px 0 12px; } .key:first-child { margin-left: 0; }
.allowed { background: var(--allowed); fill: var(--allowed); } .refused { background: var(--refused); fill: var(--refused); }
.up { background: var(--up); fill: var(--up); } .down { background: var(--down); fill: var(--down); } .tile.refused { background: var(--card); }
svg.plot { display: block; width: 100%; height: auto; } .grid line { stroke: var(--line); } .grid text { fill: var(--soft); font-size: 12px; }
table.bars th { font-weight: 400; width: 42%; overflow-wrap: anywhere; } table.bars td.bar { width: 40%; } table.bars .bar div { display: flex; height: 12px; margin-top: 5px; gap: 1px; }
table.bars i { display: block; border-radius: 2px; min-width: 2px; } table.bars td.amount { white-space: nowrap; text-align: right; color: var(--soft); font-variant-numeric: tabular-nums; }
details > summary { cursor: pointer; color: var(--soft); } details[open] > summary { margin-bottom: 8px; }
@media (max-width: 640px) { table.bars td.amount { white-space: normal; } dl { grid-template-columns: 1fr; } dt { margin-top: 6px; } }
@media print { body { background: none; } .card, .tile { break-inside: avoid; } }
`;
