import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RunAuthority } from '../../src/adapters/inspection/run-authority.ts';
import { type InsideOptions, inside, outside } from '../support/run-inside.ts';
import { useSandbox } from '../support/sandbox.ts';
import { startSecureOrigin } from './inspect-rig.ts';

/** A service of this machine whose certificate is of an authority that the user's environment names: agents may read from it, with a key that they do not have. */
const SECRET = 'sk-this-stays-outside-4711';
const sandbox = useSandbox();
const authority = new RunAuthority('the origins');
let origin: Awaited<ReturnType<typeof startSecureOrigin>>;
let seen: { method: string; url: string; key: string | undefined }[] = [];
let env: Record<string, string>;

const policy = () => `version: 1
name: inspected
extends: [default]
policies:
  - action: network
    rules:
      - destination: "localhost:${origin.port}"
        effect: allow
        inspect: true
        methods: [GET]
        inject:
          - { header: x-key, value: "Key {secret}", secret: "env:SERVICE_KEY" }
`;

beforeAll(async () => {
  origin = await startSecureOrigin(authority, (request: IncomingMessage, response: ServerResponse) => {
    const { method = '', url = '', headers } = request;
    seen.push({ method, url, key: headers['x-key'] as string | undefined });
    request.resume();
    response.end(url.startsWith('/git/info/refs') ? `${'4'.repeat(40)}\trefs/heads/main\n` : `hello ${method}`);
  });
  writeFileSync(join(sandbox.root, 'origins.pem'), authority.certificate);
  await sandbox.gatekeeper(['daemon', 'start']);
  env = { SERVICE_KEY: SECRET, SSL_CERT_FILE: join(sandbox.root, 'origins.pem') };
});
afterAll(() => origin?.close());
beforeEach(() => {
  seen = [];
});

const run = (script: string, more: Record<string, string> = {}, options: InsideOptions = {}) =>
  inside(sandbox, ['sh', '-c', script], { policy: policy(), env: { ...env, ...more }, ...options });
const curl = (words: string) =>
  `curl -sS -m 10 --noproxy none -w ' %{http_code}\\n' ${words} https://localhost:${origin.port}/v1/data?q=1`;

describe('a run whose requests are looked into', () => {
  it('reads with a key that it does not have, and writes nothing', async () => {
    const mine = '-H "x-key: $SERVICE_KEY" -H "X_Key: other"';
    const { stdout, stderr, receipts } = await run(`${curl('')}; ${curl('-d x -H "x-key: mine"')}; ${curl(mine)}`);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^hello GET 200\n\{"error":"egress_denied".*\} 403\nhello GET 200\n$/);
    const read = { method: 'GET', url: '/v1/data?q=1', key: `Key ${SECRET}` };
    expect(seen).toEqual([read, read]);
    const network = receipts.filter(({ action, via }) => action === 'network' && via === 'inspect');
    expect(network).toMatchObject([
      { verdict: 'allow', method: 'GET', path: '/v1/data' },
      { verdict: 'deny', method: 'POST', path: '/v1/data' },
      { verdict: 'allow', method: 'GET', path: '/v1/data' },
    ]);
  });

  it('finds its secret nowhere, nor a key to make certificates with', async () => {
    const script = `
import glob, os
found = []
def look(name, text):
    if b'${SECRET.slice(0, 9)}' + b'${SECRET.slice(9)}' in text or b'PRIVATE' + b' KEY' in text: found.append(name)
for name in glob.glob('/proc/[0-9]*/environ') + [os.environ['SSL_CERT_FILE'], os.environ['NODE_EXTRA_CA_CERTS']]:
    try: look(name, open(name, 'rb').read())
    except OSError: pass
offered = os.path.dirname(os.environ['SSL_CERT_FILE'])
for place in ('${sandbox.home}', offered):
    for top, _, names in os.walk(place):
        for name in names:
            try: look(name, open(os.path.join(top, name), 'rb').read())
            except OSError: pass
try: open(os.path.join(offered, 'ca.pem'), 'w'); found.append('writable')
except OSError: pass
print(os.environ['SERVICE_KEY'], found, open(offered + '/ca.pem').read().count('BEGIN'))
`;
    // The same search where the secret can be found.
    const files = { SSL_CERT_FILE: env['SSL_CERT_FILE'] ?? '', NODE_EXTRA_CA_CERTS: env['SSL_CERT_FILE'] ?? '' };
    sandbox.write('../ca.pem', '');
    const free = await outside(sandbox, ['python3', '-c', script], { env: { ...env, ...files } });
    expect(free.stdout).toMatch(/\['\/proc\/\d+\/environ'.*'writable'\]/);
    const { stdout } = await inside(sandbox, ['python3', '-c', script], { policy: policy(), env });
    expect(stdout).toBe('gatekeeper-secret-SERVICE_KEY [] 2\n');
  });

  it('leaves nothing of it behind', () => {
    const files = readdirSync(sandbox.root, { recursive: true, encoding: 'utf8' })
      .map((name) => join(sandbox.root, name))
      .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
    expect(files.some((path) => path.endsWith('daemon.log'))).toBe(true);
    expect(files.filter((path) => readFileSync(path, 'latin1').includes(SECRET))).toEqual([]);
  });

  it('is told which variable is missing, and its requests fail', async () => {
    const { stdout, stderr, receipts } = await run(curl(''), { SERVICE_KEY: '' });
    expect(stderr).toMatch(/^gatekeeper: warning: .*\.yaml:\d+ puts in SERVICE_KEY, which is not set here: .*\n$/);
    expect(stdout).toMatch(/"reason":"secret-unknown".* 503$/m);
    expect(receipts).toContainEqual(expect.objectContaining({ verdict: 'deny', reason: 'secret-unknown' }));
    expect(seen).toEqual([]);
  });

  it('has a variable refused that no header could carry, and not shown', async () => {
    const { stderr } = await run(':', { SERVICE_KEY: `${SECRET}\r\nx-more: 1` });
    expect(stderr).toMatch(/SERVICE_KEY, which has a line end or a null byte in it/);
    expect(stderr).not.toContain(SECRET);
  });

  it('is read by programs of all kinds, which trust what their variables name', async () => {
    const url = `https://localhost:${origin.port}`;
    const { stdout, stderr } = await run(
      `export NO_PROXY= no_proxy=
python3 -c "import urllib.request as u; print(u.urlopen('${url}/python').read().decode())"
node -e "fetch('${url}/node').then((answer) => answer.text()).then(console.log)"
git ls-remote ${url}/git refs/heads/main`,
      {},
      { hooks: 'on' },
    ); // which is what leads this version of Node to the proxy
    expect([stdout.split('\n'), stderr]).toEqual([
      ['hello GET', 'hello GET', `${'4'.repeat(40)}\trefs/heads/main`, ''],
      '',
    ]);
    expect(seen.slice(0, 3).map(({ url, key }) => [url.split('?')[0], key])).toEqual([
      ['/python', `Key ${SECRET}`],
      ['/node', `Key ${SECRET}`],
      ['/git/info/refs', `Key ${SECRET}`],
    ]);
  });

  it('has a program that trusts somebody else fail by its own word, and the receipt says why', async () => {
    const { stdout, stderr, receipts } = await run(
      curl(`--cacert ${sandbox.write('other.crt', authority.certificate)}`),
    );
    expect(stderr).toMatch(/certificate/i);
    expect(stdout).not.toContain('hello');
    expect(receipts).toContainEqual(expect.objectContaining({ verdict: 'deny', reason: 'authority-refused' }));
    expect(seen).toEqual([]);
  });
});
