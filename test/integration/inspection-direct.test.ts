import { afterAll, beforeAll, expect, it } from 'vitest';
import { inside } from '../support/run-inside.ts';
import { useSandbox } from '../support/sandbox.ts';
import { freePort, startOrigin } from './egress-rig.ts';

const sandbox = useSandbox();
let origin: Awaited<ReturnType<typeof startOrigin>>;
const seen: string[] = [];
beforeAll(async () => {
  origin = await startOrigin((request, response) => {
    seen.push(`${request.method}`);
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
`;
  const curl = `curl -sS -m 10 --noproxy '*' -w ' %{http_code}\\n' http://127.0.0.1:${origin.port}/`;
  // Some look for a server at ::1 first, where there is none, and all say by which name they look for it.
  const byName = curl.replace('127.0.0.1', 'localhost');
  const { stdout, stderr, receipts } = await inside(sandbox, ['sh', '-c', `${curl}; ${curl} -d x; ${byName}`], {
    policy,
  });
  expect(stdout).toMatch(/^hello 200\n\{"error":"egress_denied".*\}\n? 403\nhello 200\n$/);
  expect([stderr, seen]).toEqual([expect.not.stringContaining('curl'), ['GET', 'GET']]);
  expect(receipts.filter(({ action }) => action === 'network')).toMatchObject([
    { verdict: 'allow', via: 'inspect', method: 'GET' },
    { verdict: 'deny', via: 'inspect', method: 'POST' },
    { verdict: 'allow', via: 'inspect', method: 'GET' },
  ]);
});

it('a run that listens where a server of this machine is expected is given no secret', async () => {
  const port = await freePort();
  const policy = `version: 1
name: local
extends: [default]
policies:
  - action: network
    rules:
      - destination: "localhost:${port}"
        effect: allow
        inspect: true
        inject: [{ header: x-key, value: "{secret}", secret: "env:SERVICE_KEY" }]
`;
  const script = `
import http.server, os, threading, urllib.request
os.environ['no_proxy'] = ''
os.environ['NO_PROXY'] = ''
class Impostor(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(('key ' + str(self.headers['x-key'])).encode())
    def log_message(self, *words): pass
server = http.server.HTTPServer(('127.0.0.1', ${port}), Impostor)
threading.Thread(target=server.serve_forever, daemon=True).start()
try: print(urllib.request.urlopen('http://localhost:${port}/').read().decode())
except urllib.error.HTTPError as error: print(error.code, error.headers['gatekeeper-reason'])
`;
  const { stdout } = await inside(sandbox, ['python3', '-c', script], { policy, env: { SERVICE_KEY: 'sk-outside' } });
  expect(stdout).toBe('403 secret-in-clear\n');
});
