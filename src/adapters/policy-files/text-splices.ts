import { type Node, parseDocument } from 'yaml';

/**
 * Changes to a text, collected while its document is changed, so that everything else stays as somebody wrote it. What cannot be said as one
 * (`giveUp`) is left to the document, which writes the whole file in a form of its own.
 */
export class TextSplices {
  readonly #text: string;
  readonly #splices: { from: number; to: number; text: string }[] = [];
  #possible = true;

  constructor(text: string) {
    this.#text = text;
  }

  giveUp(): void {
    this.#possible = false;
  }

  /** Takes an item out of a list: its line when it stands beneath a dash, else the item and a comma. */
  dropItem(items: readonly unknown[], item: unknown): void {
    const [from, to] = rangeOf(item) ?? [];
    if (from === undefined || to === undefined) {
      this.giveUp();
      return;
    }
    const line = this.#lineStart(from);
    if (/^\s*-\s+$/.test(this.#text.slice(line, from))) {
      const end = this.#lineEnd(to);
      if (/^\s*(#.*)?\n?$/.test(this.#text.slice(to, end))) this.#put(line, end, '');
      else this.giveUp();
      return;
    }
    const at = items.indexOf(item);
    const next = rangeOf(items[at + 1]);
    const before = rangeOf(items[at - 1]);
    if (next) this.#put(from, next[0], '');
    else if (before) this.#put(before[1], to, '');
    else this.giveUp();
  }

  /** Puts an item, as text, behind the last one of a block list. */
  addBehind(last: unknown, item: string): void {
    const [from, to] = rangeOf(last) ?? [];
    if (from === undefined || to === undefined) {
      this.giveUp();
      return;
    }
    const indent = /^(\s*)-\s+$/.exec(this.#text.slice(this.#lineStart(from), from))?.[1];
    if (indent === undefined) {
      this.giveUp();
      return;
    }
    const end = this.#lineEnd(to);
    const newline = this.#text[end - 1] === '\n' ? '' : '\n';
    this.#put(end, end, `${newline}${indent}- ${item}\n`);
  }

  /** Puts an item, as text, in the place of an empty flow list that is the value of `key`. */
  addFirst(key: unknown, list: unknown, item: string): void {
    const [at] = rangeOf(key) ?? [];
    const [from, to] = rangeOf(list) ?? [];
    if (at === undefined || from === undefined || to === undefined) {
      this.giveUp();
      return;
    }
    const indent = ' '.repeat(at - this.#lineStart(at) + 2);
    // Further items come behind the same place.
    const open = this.#splices.find((splice) => splice.to === to);
    if (open) open.text += `\n${indent}- ${item}`;
    else this.#put(this.#text[from - 1] === ' ' ? from - 1 : from, to, `\n${indent}- ${item}`);
  }

  /** The text with all changes, when it says exactly what is expected. */
  result(expected: unknown): string | undefined {
    if (!this.#possible) return undefined;
    let text = this.#text;
    const ordered = this.#splices.map((splice, index) => ({ ...splice, index }));
    ordered.sort((a, b) => b.from - a.from || b.index - a.index);
    for (const { from, to, text: put } of ordered) text = text.slice(0, from) + put + text.slice(to);
    const document = parseDocument(text);
    const same = document.errors.length === 0 && JSON.stringify(document.toJS()) === JSON.stringify(expected);
    return same ? text : undefined;
  }

  #put(from: number, to: number, text: string): void {
    if (this.#splices.some((other) => from < other.to && other.from < to)) this.giveUp();
    this.#splices.push({ from, to, text });
  }

  #lineStart(offset: number): number {
    return this.#text.lastIndexOf('\n', offset - 1) + 1;
  }

  /** Behind the line that the offset is in, or that ends right before it. */
  #lineEnd(offset: number): number {
    if (this.#text[offset - 1] === '\n') return offset;
    const end = this.#text.indexOf('\n', offset);
    return end < 0 ? this.#text.length : end + 1;
  }
}

function rangeOf(node: unknown): [number, number] | undefined {
  const range = (node as Node | undefined)?.range;
  return range ? [range[0], range[1]] : undefined;
}
