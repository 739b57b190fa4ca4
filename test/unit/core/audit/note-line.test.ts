import { describe, expect, it } from 'vitest';
import { noteLine, noteOfLine } from '../../../../src/core/audit/note-line.ts';

describe('a note in one line', () => {
  it.each(['a\nb\n\n— c d\n', 'back\\slash\n', '\\n is two characters\n', '\\\\\n', ''])('is read back: %j', (note) => {
    expect(noteLine(note)).not.toContain('\n');
    expect(noteOfLine(noteLine(note))).toBe(note);
  });

  it.each(['a\\', 'a\\t', 'a\\\\\\', 'two\nlines', 'a\rb'])('is nothing else: %j', (line) => {
    expect(noteOfLine(line)).toBeUndefined();
  });
});
