import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { encodeFrame, type Frame, MalformedFrame } from '../../core/wire/frame.ts';
import { FrameStream } from '../../core/wire/frame-stream.ts';

export type Hello = { run: string; token: Uint8Array; pid: number; version: string; directory: string };

/** One accepted supervisor. */
export type Supervisor = {
  run: string;
  send: (...frame: Parameters<typeof encodeFrame>) => void;
  disconnect: () => void;
};

export type SupervisorEvents = {
  /** Undefined: accepted, WELCOME follows. Else why not; the connection ends without a word. */
  hello: (hello: Hello) => string | undefined;
  /** Called once behind WELCOME. */
  joined: (supervisor: Supervisor) => void;
  frame: (supervisor: Supervisor, frame: Frame) => void;
  /** The connection is gone. `why` is set when it was ended from this side. */
  left: (supervisor: Supervisor, why: string | undefined) => void;
  /** A connection that never said a proper HELLO. */
  refused: (why: string) => void;
};

export type SupervisorServer = { close: () => Promise<void> };

/** Listens on the supervisor socket (0600). Frames back to back; the first malformed one ends its connection. */
export async function listenForSupervisors(socketPath: string, events: SupervisorEvents): Promise<SupervisorServer> {
  rmSync(socketPath, { force: true });
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    if (open.size >= MAX_CONNECTIONS) return socket.destroy();
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    serve(socket, events);
    return undefined;
  });
  await listen(server, socketPath);
  chmodSync(socketPath, 0o600);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

function serve(socket: Socket, events: SupervisorEvents): void {
  const stream = new FrameStream();
  let supervisor: Supervisor | undefined;
  let why: string | undefined;
  const end = (reason: string) => {
    why ??= reason;
    socket.destroy();
  };
  const helloTimer = setTimeout(() => end('no HELLO in time'), HELLO_MS);
  const greet = (frame: Frame) => {
    clearTimeout(helloTimer);
    const hello = readHello(frame);
    const refusal = hello === undefined ? 'the first frame is no HELLO' : events.hello(hello);
    if (hello === undefined || refusal !== undefined) return end(refusal ?? 'refused');
    supervisor = { run: hello.run, send: (...args) => send(socket, end, args), disconnect: () => end('disconnected') };
    supervisor.send('WELCOME', {});
    events.joined(supervisor);
  };
  socket.on('data', (chunk) => {
    for (const frame of stream.push(chunk as Buffer)) {
      if (why !== undefined) return;
      if (frame instanceof MalformedFrame) return end(frame.message);
      if (supervisor === undefined) greet(frame);
      else if (FROM_SUPERVISOR.has(frame.type)) events.frame(supervisor, frame);
      else return end(`a supervisor does not send ${frame.type}`);
    }
  });
  socket.on('error', () => undefined); // followed by close
  socket.on('close', () => {
    clearTimeout(helloTimer);
    if (supervisor !== undefined) events.left(supervisor, why);
    else events.refused(why ?? 'closed before HELLO');
  });
}

/** A supervisor that does not read is cut off rather than waited for: nothing here may grow without bound. */
function send(socket: Socket, end: (why: string) => void, frame: Parameters<typeof encodeFrame>): void {
  if (socket.destroyed) return;
  if (socket.writableLength > MAX_UNSENT_BYTES) end('it does not read');
  else socket.write(encodeFrame(...frame));
}

function readHello({ type, fields }: Frame): Hello | undefined {
  const { RUN, TOKEN, PID, TEXT, PATH } = fields;
  if (type !== 'HELLO' || !RUN || !TOKEN || !PATH || PID === undefined) return undefined;
  if (PID < 1n || PID > MAX_PID) return undefined;
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');
  return {
    run: text(RUN),
    token: TOKEN,
    pid: Number(PID),
    version: TEXT ? text(TEXT) : '',
    directory: Buffer.from(PATH).toString(),
  };
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      server.on('error', () => undefined); // accept failures (EMFILE): the peer retries
      resolve();
    });
  });
}

const FROM_SUPERVISOR = new Set(['KICK', 'CONNECTION', 'IMAGE_TAKEN', 'ENDED']);
const HELLO_MS = 5000;
const MAX_CONNECTIONS = 512;
const MAX_UNSENT_BYTES = 1024 * 1024;
const MAX_PID = 2n ** 22n;
