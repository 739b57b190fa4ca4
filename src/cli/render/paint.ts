import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Colours standard output when it is a terminal and NO_COLOR (no-color.org) is unset or empty. */
export function paint(style: Style, text: string): string {
  return coloured() ? styleText(style, text) : text;
}

export function coloured(): boolean {
  return process.stdout.isTTY === true && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb';
}

export const paintVerdict = (verdict: string): string =>
  paint(verdict.includes('deny') ? 'red' : verdict.includes('ask') ? 'yellow' : 'green', verdict);
