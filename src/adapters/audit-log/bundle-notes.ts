import { readdirSync } from 'node:fs';
import { noteLine, noteOfLine } from '../../core/audit/note-line.ts';
import { readSmallFile } from './line-reader.ts';
import type { KeptNotes } from './verify-log.ts';

/** What lies in a bundle of the checkpoints that others held when it was made: the form is that of an anchor's file. */
export const anchorsOfBundle = (directory: string) => `${directory}/anchors`;

/** Of a log that is no bundle: nobody's. */
export function readBundleNotes(directory: string): KeptNotes[] {
  const place = anchorsOfBundle(directory);
  return namesIn(place)
    .filter((name) => name.endsWith('.notes'))
    .sort()
    .map((name) => ({ holder: `anchors/${name}`, ...readNotes(`${place}/${name}`) }));
}

/** @param times when each was taken, as far as that is known */
export function bundleNotesText(notes: readonly string[], times: readonly (string | undefined)[]): string {
  return notes.map((note, at) => `${times[at] ?? UNKNOWN_TIME} ${noteLine(note)}\n`).join('');
}

function namesIn(place: string): string[] {
  try {
    return readdirSync(place).slice(0, MOST_FILES);
  } catch {
    return [];
  }
}

function readNotes(path: string): { notes: string[]; error?: string } {
  try {
    const text = readSmallFile(path, MOST_BYTES)?.toString();
    if (text === undefined) return { notes: [], error: 'the file is too large' };
    const notes = text.split('\n').flatMap((line) => noteOfLine(line.slice(line.indexOf(' ') + 1)) ?? []);
    return { notes: notes.filter((note) => note !== '') };
  } catch (error) {
    return { notes: [], error: error instanceof Error ? error.message : String(error) };
  }
}

const UNKNOWN_TIME = '1970-01-01T00:00:00.000Z';
const MOST_FILES = 100;
const MOST_BYTES = 64 * 1024 * 1024;
