/**
 * Text from outside (paths, arguments, hosts, names) as it may be shown to a person. Whatever a terminal would act on or not
 * draw (control characters, escape sequences, line ends, bidirectional marks, zero-width and tag characters, odd
 * spaces, unassigned and private code points, lone surrogates) becomes \xNN or \u{N}. A backslash that could be mistaken for the start of
 * such an escape is doubled, so two different texts never look the same.
 */
export function visible(text: string): string {
  return CLEAN.test(text)
    ? text
    : text.replace(HIDDEN, escapeCharacter).replace(AMBIGUOUS_BACKSLASH, '\\\\').replaceAll(MARK, '\\');
}

/** Like `visible`, and at most about `max` characters: the head and the tail stay, the count of what is left out stands between. */
export function visibleShort(text: string, max = 200): string {
  const characters = [...text];
  if (characters.length <= max) return visible(text);
  const head = Math.ceil(max * 0.7);
  const tail = max - head;
  const cut = characters.length - head - tail;
  return `${visible(characters.slice(0, head).join(''))} …[${cut} more]… ${visible(characters.slice(-tail).join(''))}`;
}

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100 ? `${MARK}x${code.toString(16).padStart(2, '0')}` : `${MARK}u{${code.toString(16)}}`;
}

const CLEAN = /^[ -[\]-~]*$/;
// \p{C}: control, format, surrogate, private, unassigned. \p{Z} but the space: separators. DI: drawn as nothing.
const HIDDEN = /[\p{C}\p{Zl}\p{Zp}\p{DI}\u2800]|(?! )\p{Zs}/gu;
/** Stands for the backslash of an escape while those of the text are doubled. It is itself hidden, so the text has none left. */
const MARK = '\u0000';
const AMBIGUOUS_BACKSLASH = /\\(?=[xu\\\0])/g;
