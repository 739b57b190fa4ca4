/** The pattern that takes this canonical path and nothing else. There is none for the root: it would take what is beneath. */
export const literalPath = (path: string): string => escapeMarks(path).replace(/^\/\./, '/\\.');

/** The pattern that takes this canonical command and nothing else; its program has no quotes. Blanks in a row are part of an argument. */
export const literalCommand = (text: string): string =>
  escapeMarks(text).replace(/ {2,}/g, (blanks) => '\\ '.repeat(blanks.length));

/** Whatever could mean something: a backslash makes any character plain. */
const escapeMarks = (text: string): string => text.replace(/[!-,:-@[-^`{-~]/g, '\\$&');
