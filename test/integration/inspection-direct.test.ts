import { afterAll, beforeAll, expect, it } from 'vitest';
import { inside } from '../support/run-inside.ts';
import { useSandbox } from '../support/sandbox.ts';
import { startOrigin } from './egress-rig.ts';

const sandbox = useSandbox();
let origin: Awaited<ReturnType<typeof startOrigin>>;
const seen: string[] = [];
beforeAll(async () => {
  origin = await startOrigin((request, response) => {
    seen.push(`${request.method} ${request.headers['x-key']}`);
    response.end('hello');
  });
});
afterAll(() => origin?.close());

/** A supervisor connects to places of this machine by itself; those that are inspected it leaves to the daemon. */
it('what is inspected on this machine is inspected for programs that connect there by themselves', async () => {
  const policy = `version: 1
name: direct
extends: [default]
policies:
  - action: network
    rules:
      - destination: "127.0.0.1:${origin.port}"
        effect: allow
        inspect: true
        methods: [GET]
        inject: [{ header: x-key, value: "{secret}", secret: "env:SERVICE_KEY" }]
`;
  const curl = `curl -sS -m 10 --noproxy '*' -w ' %{http_code}\\n' http://127.0.0.1:${origin.port}/`;
  const { stdout, stderr, receipts } = await inside(sandbox, ['sh', '-c', `${curl}; ${curl} -d x`], {
    policy,
    env: { SERVICE_KEY: 'sk-outside' },
  });
  expect(stdout).toMatch(/^hello 200\n\{"error":"egress_denied".*\}\n? 403\n$/);
  expect([stderr, seen]).toEqual([expect.not.stringContaining('curl'), ['GET sk-outside']]);
  expect(receipts.filter(({ action }) => action === 'network')).toMatchObject([
    { verdict: 'allow', via: 'inspect', method: 'GET' },
    { verdict: 'deny', via: 'inspect', method: 'POST' },
  ]);
});
