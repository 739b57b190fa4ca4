import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { requestControl } from '../../../../src/adapters/control-client/request.ts';
import { API } from '../../../../src/core/contract/control-api.ts';
import { type HomeLayout, homeLayout } from '../../../../src/core/contract/home-layout.ts';

let home: string;
let layout: HomeLayout;
let server: Server | undefined;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'gk-control-'));
  layout = homeLayout({ passwdHome: '/nonexistent', uid: 0, env: { GATEKEEPER_HOME: home } });
  mkdirSync(layout.runtime, { recursive: true });
  writeFileSync(layout.controlToken, 'secret\n');
});
afterEach(async () => {
  await new Promise<void>((done) => (server ? server.close(() => done()) : done()));
  server = undefined;
  rmSync(home, { recursive: true });
});

async function listen(listener: RequestListener): Promise<void> {
  server = createServer(listener);
  await new Promise<void>((done) => server?.listen(layout.controlSocket, done));
}

describe('requestControl', () => {
  it('sends method, path, token and body, and returns the answer', async () => {
    const seen: unknown[] = [];
    await listen(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      seen.push(request.method, request.url, request.headers.authorization, body);
      response.end('{"ok":true}');
    });
    expect(await requestControl(layout, API.killRun, { id: 'a/b', body: { x: 'é' } })).toEqual({ ok: true });
    expect(seen).toEqual(['POST', '/v1/runs/a%2Fb/kill', 'Bearer secret', '{"x":"é"}']);
  });

  it('takes an answer that comes in pieces', async () => {
    const text = JSON.stringify({ name: 'ü'.repeat(100_000) });
    await listen((_request, response) => {
      response.writeHead(200, { 'content-length': Buffer.byteLength(text) });
      const bytes = Buffer.from(text);
      response.write(bytes.subarray(0, 50_001));
      setImmediate(() => response.end(bytes.subarray(50_001)));
    });
    expect(await requestControl(layout, API.status)).toEqual(JSON.parse(text));
  });

  it('gives the error that the daemon named', async () => {
    await listen((_request, response) => {
      response.statusCode = 422;
      const error = { code: 'GK_POLICY_INVALID', message: 'unknown key', where: 'p.yaml:3:5', remedy: 'take it out' };
      response.end(JSON.stringify({ error }));
    });
    await expect(requestControl(layout, API.createRun, { body: {} })).rejects.toMatchObject({
      code: 'GK_POLICY_INVALID',
      what: 'unknown key',
      where: 'p.yaml:3:5',
      remedy: 'take it out',
    });
  });

  it.each([
    ['an answer that is no JSON', (_: unknown, response: { end(text: string): void }) => response.end('<html>')],
    [
      'an error without a message',
      (_: unknown, response: { statusCode: number; end(text: string): void }) => {
        response.statusCode = 500;
        response.end('{}');
      },
    ],
    [
      'a body that ends too early',
      (_: unknown, response: { socket: { end(text: string): void } }) =>
        response.socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"a":1}'),
    ],
    [
      'a body without a length',
      (_: unknown, response: { socket: { end(text: string): void } }) =>
        response.socket.end('HTTP/1.1 200 OK\r\n\r\n{}'),
    ],
    [
      'another protocol',
      (_: unknown, response: { socket: { end(text: string): void } }) =>
        response.socket.end('RTSP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}'),
    ],
    ['a connection that breaks off', (request: { socket: { destroy(): void } }) => request.socket.destroy()],
  ])('does not take %s for an answer', async (_name, listener) => {
    await listen(listener as RequestListener);
    await expect(requestControl(layout, API.status)).rejects.toMatchObject({ code: 'GK_DAEMON_ANSWER' });
  });

  it('says that no daemon runs when there is no token', async () => {
    rmSync(layout.controlToken);
    await expect(requestControl(layout, API.status)).rejects.toMatchObject({ code: 'GK_DAEMON_NOT_RUNNING' });
  });

  it('says that no daemon runs when there is no socket', async () => {
    await expect(requestControl(layout, API.status)).rejects.toMatchObject({ code: 'GK_DAEMON_NOT_RUNNING' });
  });

  it('does not take a refusal for a daemon that does not run', async () => {
    // Root reads every file; a directory in the token's place is refused to everybody, and is no missing file either.
    rmSync(layout.controlToken);
    mkdirSync(layout.controlToken);
    await expect(requestControl(layout, API.status)).rejects.not.toMatchObject({ code: 'GK_DAEMON_NOT_RUNNING' });
  });
});
