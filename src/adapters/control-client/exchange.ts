import { connect } from 'node:net';

export type Exchange = { method: string; path: string; token: string; payload: string | undefined };
export type Answer = { status: number; text: string };

/**
 * One HTTP exchange over a Unix socket, on a connection of its own. Written out because `node:http` would cost the start of every run a
 * tenth, and our own daemon is the only one that answers. Rejects with the socket's error, or with NoAnswer.
 */
export function exchange(socketPath: string, request: Exchange, timeoutMs: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(socketPath);
    socket.setTimeout(timeoutMs, () => socket.destroy(new NoAnswer('the daemon did not answer in time')));
    socket.on('error', reject);
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('end', () => {
      const answer = readResponse(Buffer.concat(chunks));
      if (answer) resolve(answer);
      else reject(new NoAnswer('the daemon broke off its answer'));
    });
    socket.write(requestText(request));
  });
}

export class NoAnswer extends Error {}

function requestText({ method, path, token, payload }: Exchange): string {
  const head = [
    `${method} ${path} HTTP/1.1`,
    'host: gatekeeper',
    `authorization: Bearer ${token}`,
    'connection: close',
  ];
  if (payload !== undefined) {
    head.push('content-type: application/json', `content-length: ${Buffer.byteLength(payload)}`);
  }
  return `${head.join('\r\n')}\r\n\r\n${payload ?? ''}`;
}

/** A whole response with its length (RFC 9112, section 6.2), the only kind that the daemon sends; undefined for anything else. */
function readResponse(bytes: Buffer): Answer | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  const head = bytes.toString('latin1', 0, Math.max(end, 0));
  const status = /^HTTP\/1\.1 ([2-5][0-9][0-9]) /.exec(head)?.[1];
  const length = /\r\ncontent-length: ([0-9]{1,10})(?:\r\n|$)/i.exec(head)?.[1];
  const body = bytes.subarray(end + 4);
  if (status === undefined || Number(length) !== body.length) return undefined;
  return { status: Number(status), text: body.toString('utf8') };
}
