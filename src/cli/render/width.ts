/** Columns of a terminal; never less than it takes, as far as is known, for what would be too wide would push others away. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += (character.codePointAt(0) ?? 0) < FIRST_WIDE || OWN.has(character) ? 1 : 2;
  return width;
}

/** The beginning of a text that fits. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  return `${takeWhile(text, width - 1)}…`;
}

/** A little of the beginning, and as much as fits of the end, which says more of a path or a host. */
export function cutMiddle(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  const head = takeWhile(text, Math.floor((width - 1) / 4));
  const tail = takeWhile([...text].reverse(), width - 1 - widthOf(head));
  return `${head}…${[...tail].reverse().join('')}`;
}

export const padEnd = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - widthOf(text)));
export const padStart = (text: string, width: number): string => ' '.repeat(Math.max(0, width - widthOf(text))) + text;

function takeWhile(characters: Iterable<string>, width: number): string {
  let kept = '';
  let used = 0;
  for (const character of characters) {
    used += widthOf(character);
    if (used > width) break;
    kept += character;
  }
  return kept;
}

/** Hangul Jamo: the first of the blocks that terminals draw two columns wide. */
const FIRST_WIDE = 0x1100;
/** Marks that are put into lines here, and are behind it. */
const OWN: ReadonlySet<string> = new Set(['…', '→']);
