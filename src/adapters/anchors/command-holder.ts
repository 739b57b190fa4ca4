import { spawn } from 'node:child_process';
import { parseCheckpoint } from '../../core/audit/checkpoint.ts';
import { redact } from '../../core/audit/redact.ts';
import type { AuditSettings } from '../../core/audit/settings.ts';
import { CLEAN, eachLine, ended } from './bounded-lines.ts';
import { type HeldNote, type Holder, MOST_READ } from './holder.ts';

/** A program that keeps what it gets on its standard input, and, if there is a second one, prints what it keeps: notes, one behind the other. */
export function commandHolder({ put, get }: AuditSettings['anchors']['commands'][number]): Holder {
  return {
    // Shown, and told in the log when it fails; a credential among the arguments is for the program alone.
    name: `command ${redact(put.map(shown).join(' '))}`,
    put: (note, signal) => give(put, note, signal),
    read: async (origin) => {
      if (get === undefined) return [];
      const lines: string[] = [];
      await eachLine(get, LIMITS, (line) => lines.push(line) > 0);
      const notes = splitNotes(lines).map((note) => ({ note, origin: parseCheckpoint(note)?.origin }));
      const own = notes.filter((one) => one.origin !== undefined && (origin === undefined || one.origin === origin));
      return own.map(({ note }): HeldNote => ({ note })).slice(-MOST_READ);
    },
  };
}

async function give(argv: readonly string[], note: string, signal: AbortSignal): Promise<void> {
  const child = spawn(argv[0]!, argv.slice(1), {
    cwd: '/',
    env: CLEAN,
    stdio: ['pipe', 'ignore', 'pipe'],
    detached: true,
  });
  const stop = () => {
    try {
      // It and what it has started: they are a process group of their own.
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has just ended.
    }
  };
  signal.addEventListener('abort', stop, { once: true });
  let said = '';
  child.stderr.on('data', (chunk) => {
    if (said.length < MOST_SAID) said += String(chunk);
  });
  child.stdin.on('error', () => undefined); // it may end without reading
  child.stdin.end(note);
  try {
    const status = await ended(child);
    if (status !== 0) throw new Error(said.trim().split('\n').at(-1) || `${argv[0]} ended with ${status}`);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

const shown = (word: string) => (/\s/.test(word) ? `'${word}'` : word);

/** A note ends with its lines of signatures; what comes behind them and is none begins the next one. */
function splitNotes(lines: readonly string[]): string[] {
  const notes: string[] = [];
  let note: string[] = [];
  let signed = false;
  for (const line of [...lines, '']) {
    const signature = line.startsWith('— ') && note.includes('');
    if (signed && !signature) {
      notes.push(`${note.join('\n')}\n`);
      [note, signed] = [[], false];
    }
    if (line !== '' || note.length > 0) note.push(line);
    signed = signature;
  }
  return notes;
}

const LIMITS = { mostBytes: 16 * 1024 * 1024, milliseconds: 15_000 };
const MOST_SAID = 4096;
