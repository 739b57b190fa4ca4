import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { journalHolder } from '../../../../src/adapters/anchors/journal-holder.ts';
import { noteLine } from '../../../../src/core/audit/note-line.ts';
import { noteOf } from '../../../support/notes.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const never = new AbortController().signal;
/** The receiving end of the stream protocol, and a program in the place of journalctl; the real ones: anchors-journal.test.ts. */
let directory: string;
let socket: string;
let server: Server;
let connections: { text: string; end: Socket }[];

const listen = async () => {
  server = createServer((end) => {
    const connection = { text: '', end };
    connections.push(connection);
    end.setEncoding('utf8').on('data', (chunk) => {
      connection.text += chunk;
    });
    end.on('error', () => undefined);
  });
  await new Promise<void>((done) => server.listen(socket, done));
};
beforeEach(async () => {
  directory = temporaryDirectory();
  socket = join(directory, 'stdout');
  connections = [];
  await listen();
});
afterEach(() => {
  server.close();
  for (const { end } of connections) end.destroy();
});

/** Prints these lines, and keeps how it was called. */
function journalctl(lines: readonly string[], more = ''): string {
  const program = join(directory, 'journalctl');
  writeFileSync(join(directory, 'lines'), lines.map((line) => `${line}\n`).join(''));
  writeFileSync(program, `#!/bin/sh\necho "$@" >${directory}/called\ncat ${directory}/lines\n${more}\n`);
  chmodSync(program, 0o755);
  return program;
}
const entry = (message: unknown, seconds: number) =>
  JSON.stringify({ MESSAGE: message, __REALTIME_TIMESTAMP: String(seconds * 1_000_000) });

describe('the system journal', () => {
  it('gets a header and then a line for each note, over one connection', async () => {
    const holder = journalHolder({ socket });
    await holder.put(noteOf('a', 1), never);
    await holder.put(noteOf('a', 2), never);
    const lines = [noteOf('a', 1), noteOf('a', 2)].map((note) => `${noteLine(note)}\n`);
    await eventually(() => expect(connections.map(({ text }) => text)).toEqual([HEADER + lines.join('')]));
    holder.close?.();
  });

  it('is found again when it was away', async () => {
    const holder = journalHolder({ socket });
    await holder.put(noteOf('a', 1), never);
    await eventually(() => expect(connections[0]?.text).toContain('gatekeeper/a'));
    server.close();
    connections[0]!.end.destroy();
    rmSync(socket, { force: true });
    await eventually(() => expect(holder.put(noteOf('a', 2), never)).rejects.toThrow());
    await listen();
    await eventually(() => holder.put(noteOf('a', 3), never));
    await eventually(() => expect(connections.at(-1)!.text).toBe(`${HEADER}${noteLine(noteOf('a', 3))}\n`));
    holder.close?.();
  });

  it('gives back what are notes, of this user alone, oldest first', async () => {
    const lines = [
      entry(noteLine(noteOf('b', 9)), 4),
      entry('somebody else’s line', 3),
      entry([1, 2, 3], 3),
      'no JSON',
      entry(noteLine(noteOf('a', 2)), 2),
      entry(noteLine(noteOf('a', 1)), 1),
    ];
    const reader = { program: journalctl(lines), uid: 4711 };
    const held = await journalHolder({ socket, reader }).read('gatekeeper/a');
    expect(held).toEqual([
      { note: noteOf('a', 1), time: '1970-01-01T00:00:01.000Z' },
      { note: noteOf('a', 2), time: '1970-01-01T00:00:02.000Z' },
    ]);
    const called = readFileSync(join(directory, 'called'), 'utf8');
    expect(called.trim().split(' ')).toEqual(expect.arrayContaining(['--identifier=gatekeeper-audit', '_UID=4711']));
  });

  it('is read no further than what is wanted, and not for ever', async () => {
    const many = Array.from({ length: 1200 }, (_, at) => entry(noteLine(noteOf('a', 1200 - at)), 1));
    const endless = journalctl(many, 'exec tail -f /dev/null');
    expect((await journalHolder({ socket, reader: { program: endless } }).read()).length).toBe(1000);
    const failing = journalctl([], 'echo no journal files were opened >&2; exit 1');
    await expect(journalHolder({ socket, reader: { program: failing } }).read()).rejects.toThrow(
      'no journal files were opened',
    );
  });
});

const HEADER = 'gatekeeper-audit\n\n5\n0\n0\n0\n0\n';

/** However busy the machine is. */
function eventually<Value>(what: () => Value): Promise<Awaited<Value>> {
  return vi.waitFor(what, { timeout: 20_000, interval: 5 }) as Promise<Awaited<Value>>;
}
