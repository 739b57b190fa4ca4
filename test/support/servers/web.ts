import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { serveGit } from './git.ts';
import { servePackage } from './packages.ts';

/** What the web server answers; beneath `directory` lie its repository and its packages. */
export function answerWeb(directory: string, request: IncomingMessage, response: ServerResponse): void {
  const { pathname, searchParams } = new URL(request.url ?? '/', `http://${request.headers.host}`);
  const [, first = ''] = pathname.split('/');
  if (first === 'git') serveGit(directory, request, response);
  else if (['npm', 'simple', 'packages'].includes(first)) servePackage(directory, request, response);
  else if (first === 'events') sendEvents(response);
  else if (first === 'redirect') response.writeHead(302, { location: searchParams.get('to') ?? '/' }).end();
  else if (first === 'echo') request.pipe(response);
  else response.end(`${request.method} ${pathname}\n`);
}

/** A few events, each when the one before has surely been sent: a reader sees them one by one. */
function sendEvents(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  let count = 0;
  const timer = setInterval(() => {
    response.write(`data: event ${++count}\n\n`);
    if (count < 3) return;
    clearInterval(timer);
    response.end();
  }, 30);
  response.once('close', () => clearInterval(timer));
}

export function answerUpgrade(request: IncomingMessage, socket: Duplex): void {
  if (request.headers.upgrade?.toLowerCase() === 'websocket') answerWebSocket(request, socket);
  else answerPlainly(request, socket);
}

/** WebSocket (RFC 6455): sends every short text back as it came, and closes when it is asked to. */
function answerWebSocket(request: IncomingMessage, socket: Duplex): void {
  const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}${WEBSOCKET}`).digest('base64');
  socket.on('error', () => socket.destroy());
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  socket.on('data', (frame: Buffer) => {
    const length = (frame[1] ?? 0) & 0x7f;
    const mask = frame.subarray(2, 6);
    const text = frame.subarray(6, 6 + length).map((byte, at) => byte ^ (mask[at & 3] ?? 0));
    const answer = Buffer.concat([Buffer.from([frame[0] ?? 0, length]), text]);
    if (((frame[0] ?? 0) & 0xf) === CLOSE) socket.end(answer);
    else socket.write(answer);
  });
  socket.on('end', () => socket.end());
}

/** What offers another protocol, HTTP/2 say, is content with the answer of this one. */
function answerPlainly({ method, url }: IncomingMessage, socket: Duplex): void {
  const text = `${method} ${url}\n`;
  socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`);
}

const CLOSE = 8;
const WEBSOCKET = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
