import { connect, type Socket } from 'node:net';
import { noteLine } from '../../core/audit/note-line.ts';
import type { Holder } from './holder.ts';
import { type JournalReader, readJournalNotes } from './read-journal.ts';

export type JournalHolderOptions = { socket?: string; reader?: JournalReader };

/**
 * The system journal, by its stream protocol (systemd, sd_journal_stream_fd): a few header lines, then one entry a line. Nothing is answered, so that a note
 * counts as taken when the kernel has it for journald; `read` tells what arrived.
 */
export function journalHolder({ socket: path = JOURNAL_SOCKET, reader = {} }: JournalHolderOptions = {}): Holder {
  let stream: Socket | undefined;
  const opened = () => {
    if (stream !== undefined && !stream.destroyed && stream.writable) return stream;
    const fresh = connect(path);
    fresh.on('error', () => fresh.destroy()); // whoever writes hears of it
    fresh.on('data', () => undefined);
    fresh.unref();
    fresh.write(STREAM_HEADER);
    stream = fresh;
    return fresh;
  };
  return {
    name: 'system journal',
    put: (note, signal) =>
      new Promise((done, fail) => {
        const to = opened();
        const gone = () => fail(new Error('the journal does not take it'));
        const late = () => to.destroy();
        signal.addEventListener('abort', late, { once: true });
        to.once('error', fail).once('close', gone);
        to.write(`${noteLine(note)}\n`, (error) => {
          to.off('error', fail).off('close', gone);
          signal.removeEventListener('abort', late);
          if (error) fail(error);
          else done();
        });
      }),
    read: (origin) => readJournalNotes(reader, origin),
    close: () => stream?.destroy(),
  };
}

export const JOURNAL_SOCKET = '/run/systemd/journal/stdout';
export const JOURNAL_IDENTIFIER = 'gatekeeper-audit';
/** Identifier, unit (none), priority (notice), whether lines begin with a priority of their own, and whether to pass them on to syslog, the kernel's log and the console. */
const STREAM_HEADER = `${JOURNAL_IDENTIFIER}\n\n5\n0\n0\n0\n0\n`;
