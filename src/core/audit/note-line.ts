/** A note in one line, for holders that keep lines: newlines and backslashes are escaped, nothing else is. */
export const noteLine = (note: string): string => note.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');

/** The note that is in such a line; undefined when it has an escape that `noteLine` never makes. */
export function noteOfLine(line: string): string | undefined {
  if (/[\n\r]/.test(line) || !/^(?:[^\\]|\\[\\n])*$/u.test(line)) return undefined;
  return line.replace(/\\([\\n])/g, (_escape, what: string) => (what === 'n' ? '\n' : '\\'));
}
