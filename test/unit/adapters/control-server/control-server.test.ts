import { describe, expect, test } from 'vitest';
import { type ControlHandlers, controlApp, isBearer } from '../../../../src/adapters/control-server/control-server.ts';
import { GatekeeperError } from '../../../../src/core/errors/gatekeeper-error.ts';

const TOKEN = 'secret-token';
const body = { argv: ['cat'], cwd: '/p', clientPid: 5 };

function app(more: Partial<ControlHandlers> = {}) {
  const called: string[] = [];
  const handlers: ControlHandlers = {
    status: () => ({ pid: 1 }) as never,
    shutdown: () => called.push('shutdown'),
    createRun: async () => {
      called.push('createRun');
      return { id: 'x' } as never;
    },
    giveSecrets: (id, { secrets }) => called.push(`secrets of ${id}: ${Object.keys(secrets)}`),
    listRuns: () => ({ runs: [] }),
    killRun: async (id) => {
      called.push(`kill ${id}`);
    },
    rotateKey: async () => {
      called.push('rotateKey');
      return { fingerprint: 'SHA256:new', fingerprintBefore: 'SHA256:old' };
    },
    ...more,
  };
  return { app: controlApp(TOKEN, handlers), called };
}
const authorization = `Bearer ${TOKEN}`;

describe('the control API', () => {
  test.each<[string, string | undefined]>([
    ['no token', undefined],
    ['another token', 'Bearer other'],
    ['the token without its scheme', TOKEN],
    ['an empty token', 'Bearer '],
    ['the token and more', `${authorization}x`],
  ])('answers nothing to %s', async (_name, header) => {
    const { app: server, called } = app();
    const headers = header === undefined ? {} : { authorization: header };
    for (const [method, url] of [
      ['GET', '/v1/status'],
      ['GET', '/v1/runs'],
      ['GET', '/nowhere'],
      ['POST', '/v1/shutdown'],
      ['POST', '/v1/runs'],
      ['POST', '/v1/runs/x/kill'],
      ['POST', '/v1/runs/x/secrets'],
    ] as const) {
      const answer = await server.inject({ method, url, headers, ...(method === 'POST' ? { payload: body } : {}) });
      expect([url, answer.statusCode]).toEqual([url, 401]);
      expect(answer.json()).toMatchObject({ error: { code: 'GK_CONTROL_REFUSED' } });
    }
    expect(called).toEqual([]);
  });

  test('compares tokens whole', () => {
    expect(isBearer(authorization, TOKEN)).toBe(true);
    expect(isBearer(authorization.slice(0, -1), TOKEN)).toBe(false);
  });

  test('changes nothing on GET', async () => {
    const { app: server, called } = app();
    for (const url of ['/v1/shutdown', '/v1/runs/x/kill']) {
      expect((await server.inject({ method: 'GET', url, headers: { authorization } })).statusCode).toBe(404);
    }
    expect(called).toEqual([]);
  });

  test.each<[string, unknown]>([
    ['no body', undefined],
    ['a body that is no object', '[]'],
    ['a body that is no JSON', '{'],
    ['an unknown member', { ...body, extra: 1 }],
    ['a number where a text belongs', { ...body, argv: [1] }],
    ['an empty command', { ...body, argv: [] }],
    ['a NUL in an argument', { ...body, argv: ['a\0b'] }],
    ['a relative directory', { ...body, cwd: 'p' }],
    ['a name that is a path', { ...body, name: '../x' }],
    ['an enforcement level that is not there', { ...body, enforce: 'none' }],
    ['a text where a flag belongs', { ...body, simulate: 'false' }],
    ['a prototype', '{"__proto__":{"argv":["x"]},"argv":["a"],"cwd":"/p","clientPid":1}'],
  ])('refuses to create a run from %s', async (_name, payload) => {
    const { app: server, called } = app();
    const answer = await server.inject({
      method: 'POST',
      url: '/v1/runs',
      headers: { authorization, 'content-type': 'application/json' },
      ...(payload === undefined ? {} : { payload: typeof payload === 'string' ? payload : JSON.stringify(payload) }),
    });
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ error: { code: 'GK_REQUEST' } });
    expect(called).toEqual([]);
  });

  test('refuses a body past its limit', async () => {
    const payload = JSON.stringify({ ...body, argv: ['x'.repeat(5_000_000)] });
    const headers = { authorization, 'content-type': 'application/json' };
    expect((await app().app.inject({ method: 'POST', url: '/v1/runs', headers, payload })).statusCode).toBe(400);
  });

  test('takes what fits', async () => {
    const { app: server, called } = app();
    const headers = { authorization };
    expect((await server.inject({ method: 'POST', url: '/v1/runs', headers, payload: body })).json()).toEqual({
      id: 'x',
    });
    await server.inject({ method: 'POST', url: '/v1/runs/01x/kill', headers });
    await server.inject({ method: 'POST', url: '/v1/shutdown', headers, payload: {} });
    expect(called).toEqual(['createRun', 'kill 01x', 'shutdown']);
  });

  test('takes values that a header can carry, and shows none of those that it refuses', async () => {
    const { app: server, called } = app();
    const give = (secrets: unknown) =>
      server.inject({ method: 'POST', url: '/v1/runs/01x/secrets', headers: { authorization }, payload: { secrets } });
    expect((await give({ KEY: 'sk-1 2', OTHER: 'ü' })).statusCode).toBe(200);
    for (const value of ['a\r\nb', 'a\nb', 'a\0b', 'sürprise\u0100', '', ' a', 'a ', 'x'.repeat(16_385)]) {
      const answer = await give({ KEY: value });
      expect([value.slice(0, 9), answer.statusCode]).toEqual([value.slice(0, 9), 400]);
      if (value.length > 2) expect(answer.body).not.toContain(value.slice(0, 9));
    }
    expect((await give({ 'KEY=': 'a' })).statusCode).toBe(400);
    expect((await give({ KEY: 1 })).statusCode).toBe(400);
    expect(called).toEqual(['secrets of 01x: KEY,OTHER']);
  });

  test('names what went wrong, where, and what mends it', async () => {
    const error = new GatekeeperError('GK_POLICY_INVALID', { what: 'unknown key', where: '/p/x.yaml:3:5' });
    const { app: server } = app({ createRun: () => Promise.reject(error) });
    const answer = await server.inject({ method: 'POST', url: '/v1/runs', headers: { authorization }, payload: body });
    expect([answer.statusCode, answer.json()]).toEqual([
      422,
      { error: { code: 'GK_POLICY_INVALID', message: 'unknown key', where: '/p/x.yaml:3:5', remedy: error.remedy } },
    ]);
  });

  test('an error that nobody foresaw is an error, not an answer', async () => {
    const { app: server } = app({
      listRuns: () => {
        throw new TypeError('oops');
      },
    });
    const answer = await server.inject({ method: 'GET', url: '/v1/runs', headers: { authorization } });
    expect([answer.statusCode, answer.json().error.code]).toEqual([500, 'GK_INTERNAL']);
  });
});
