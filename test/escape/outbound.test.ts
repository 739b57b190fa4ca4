import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { AuditRecord } from '../../src/core/audit/record.ts';
import { MACHINE, machinesRefused } from '../support/namespace.ts';
import { inside } from '../support/run-inside.ts';
import type { Seen } from '../support/servers/main.ts';
import { NAMESERVER, useWorld } from '../support/world.ts';
import { ATTACKS, type Attack, NAMES, POLICIES, type PolicyName } from './outbound.ts';

const refused = machinesRefused();
if (refused !== undefined) console.warn(`skipped: ways to servers that are denied (${refused.trim()})`);

const EVIL = { ipv4: '93.184.216.66', ipv6: '2606:2800:220::66' };
const GOOD = { ipv4: '93.184.216.10', ipv6: '2606:2800:220::10' };
const METADATA = '169.254.169.254';
const PRIVATE = '10.20.30.40';
/** Of clouds, of private networks, of one link, and IPv4 addresses that are carried in IPv6. */
const ELSEWHERE = [
  '168.63.129.16',
  'fd00:ec2::254',
  '100.64.0.9',
  'fe80::66',
  '64:ff9b::a9fe:a9fe',
  '2002:a9fe:a9fe::1',
];
const FORBIDDEN = [EVIL.ipv4, EVIL.ipv6, METADATA, PRIVATE, ...ELSEWHERE];

describe.skipIf(refused !== undefined)('a server that is denied', () => {
  const turning = [[GOOD.ipv4], ['127.0.0.1']];
  const world = useWorld({
    addresses: [...Object.values(GOOD), ...FORBIDDEN],
    zone: {
      [NAMES.GOOD]: [Object.values(GOOD)],
      [NAMES.EVIL]: [Object.values(EVIL)],
      [`message.${NAMES.EVIL}`]: [Object.values(EVIL)],
      [NAMES.METADATA]: [[METADATA]],
      [NAMES.PRIVATE]: [[PRIVATE]],
      [NAMES.OWN]: [Object.values(MACHINE)],
      [NAMES.ONCE]: [Object.values(GOOD)],
      [NAMES.MIXED]: [[GOOD.ipv4, '127.0.0.1']],
      'rebind.test': turning,
      'rebind.outside.test': turning,
    },
    hosts: `127.0.0.1 ${NAMES.HOSTED}\n`,
  });

  type Story = { texts: Map<string, string>; receipts: AuditRecord[]; seen: Seen[]; stderr: string };
  const stories = {} as Record<'outside' | PolicyName, Story>;
  beforeAll(async () => {
    const port = await world.serveHere(['node', '-e', LOCAL_SERVER], /^\d+$/m);
    const variables = {
      ...{ ...NAMES, ...world.trust, LOCAL: port, NAMESERVER },
      ...{ EVIL4: EVIL.ipv4, EVIL6: EVIL.ipv6, OWN4: MACHINE.ipv4 },
    };
    const outside = await world.outside(['bash', '-c', driver(ATTACKS)], {
      env: { ...variables, REBIND: 'rebind.outside.test' },
    });
    stories.outside = { texts: textsOf(outside.stdout), receipts: [], seen: world.seen(), stderr: outside.stderr };
    for (const name of ['exact', 'everything'] as const) {
      const before = world.seen().length;
      const result = await inside(world.sandbox, ['bash', '-c', driver(ATTACKS.filter((one) => isUnder(one, name)))], {
        policy: policyWith(POLICIES[name]),
        env: { ...variables, REBIND: 'rebind.test' },
      });
      const { receipts, stderr } = result;
      stories[name] = { texts: textsOf(result.stdout), receipts, seen: world.seen().slice(before), stderr };
    }
  });

  it.each(ATTACKS.map((attack) => [attack.title, attack] as const))('is not reached by %s', (title, attack) => {
    if (attack.outside) expect(stories.outside.texts.get(title), stories.outside.stderr).toMatch(attack.outside);
    for (const name of ['exact', 'everything'] as const) {
      if (!isUnder(attack, name)) continue;
      const { texts, receipts, stderr } = stories[name];
      expect(texts.get(title), `${name}: ${stderr}`).toBeDefined();
      expect(texts.get(title), name).not.toMatch(/GET \/hello|LOCAL|ANSWERS [1-9]/);
      if (!attack.receipt) continue;
      const wanted = { action: 'network', verdict: 'deny', ...attack.receipt };
      expect(receipts, name).toContainEqual(expect.objectContaining(wanted));
    }
  });

  it.each(['exact', 'everything'] as const)('hears nothing at all, and neither does the name server (%s)', (name) => {
    expect(stories.outside.seen.filter(isForbidden).length).toBeGreaterThan(FORBIDDEN.length);
    expect(stories.outside.seen.filter(isTold).length).toBeGreaterThan(0);
    expect(stories[name].seen.filter((one) => isForbidden(one) || isTold(one))).toEqual([]);
  });

  it('gets no help from the proxy of another run, and nobody else gets any', async () => {
    const port = join(world.sandbox.project, 'port');
    const script = `echo $https_proxy >port.new; mv port.new port; until [ -e done ]; do sleep 0.05; done; rm port done; ${HELLO}`;
    const other = inside(world.sandbox, ['bash', '-c', script], { policy: ALLOWED, env: world.trust });
    await until(port);
    const proxy = readFileSync(port, 'utf8').trim();
    const borrow = ['curl', '-sS', '--max-time', '30', '-x', proxy, `https://${NAMES.GOOD}/hello`];
    const [run, stranger] = await Promise.all([
      inside(world.sandbox, borrow, { policy: policyWith('      []\n'), env: world.trust }),
      world.outside(borrow, { env: world.trust }),
    ]);
    world.sandbox.write('done', '');
    expect((await other).stdout).toMatch(SERVED);
    expect(run.stdout + run.stderr).toMatch(/403/);
    expect(stranger.stdout + stranger.stderr).toMatch(/407/);
    const refused = { action: 'network', verdict: 'deny', destination: NAMES.GOOD };
    expect(run.receipts).toContainEqual(expect.objectContaining(refused));
  });

  it('is not reached by a thousand connections, for which no other run waits', async () => {
    const flood = inside(world.sandbox, ['python3', '-c', FLOOD], { policy: ALLOWED });
    await until(join(world.sandbox.project, 'flooded'));
    const other = await inside(world.sandbox, ['bash', '-c', HELLO], { policy: ALLOWED, env: world.trust });
    world.sandbox.write('done', '');
    expect(other.stdout, other.stderr).toMatch(SERVED);
    expect((await flood).stdout).toContain('HTTP/1.1 403');
  });

  it('that is allowed is asked for once, by the daemon, and what is sent to it is counted', async () => {
    const before = world.seen().length;
    const script = `head -c 1000000 /dev/zero | curl -sS --noproxy '*' -T - https://${NAMES.ONCE}/echo | wc -c`;
    const result = await inside(world.sandbox, ['bash', '-c', script], { policy: ALLOWED, env: world.trust });
    expect(result.stdout, result.stderr).toBe('1000000\n');
    const questions = world
      .seen()
      .slice(before)
      .filter((one) => one.kind === 'question');
    expect(questions.map(({ name, type }) => `${name} ${type}`).sort()).toEqual([
      `${NAMES.ONCE} 1`,
      `${NAMES.ONCE} 28`,
    ]);
    const ended = { action: 'connection_closed', destination: NAMES.ONCE, via: 'transparent', known: 'dns' };
    const receipt = await vi.waitFor(() => {
      const all = world.records(result.run?.id ?? '');
      const found = all.find((one) => Object.entries(ended).every(([key, value]) => one[key] === value));
      expect(found).toBeDefined();
      return found;
    }, 10_000);
    expect(receipt?.['bytesUp']).toBeGreaterThan(1_000_000);
    expect(receipt?.['bytesDown']).toBeGreaterThan(1_000_000);
  });
});

const until = (path: string): Promise<void> =>
  vi.waitFor(() => expect(existsSync(path)).toBe(true), { timeout: 120_000, interval: 20 });
const policyWith = (rules: string): string =>
  `version: 1\nname: outbound\nextends: [default]\npolicies:\n  - action: network\n    rules:\n${rules}`;
const ALLOWED = policyWith(POLICIES.exact);
const SERVED = /GET \/hello/;
const HELLO = `curl -sS --max-time 60 https://${NAMES.GOOD}/hello`;
/** Idle connections, and the last asks for what is denied. */
const FLOOD = `
import os, resource, socket, time
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
host, port = os.environ['http_proxy'].removeprefix('http://').split(':')
held = [socket.create_connection((host, int(port))) for _ in range(1000)]
open('flooded', 'w')
while not os.path.exists('done'): time.sleep(0.05)
os.remove('done')
held[-1].sendall(b'CONNECT ${NAMES.EVIL}:443 HTTP/1.1\\r\\nHost: ${NAMES.EVIL}:443\\r\\n\\r\\n')
print(held[-1].recv(12))
`;

const isUnder = ({ policy }: Attack, name: PolicyName): boolean => policy === undefined || policy === name;
const isForbidden = (one: Seen): boolean => one.kind === 'connection' && FORBIDDEN.includes(one.to.replace(/%.*/, ''));
/** Whoever answers for a denied name would learn what is in it. */
const isTold = (one: Seen): boolean => one.kind === 'question' && /evil|message/.test(one.name);

/** All in one run, one after the other; a line after each says which it was. */
function driver(attacks: readonly Attack[]): string {
  const each = attacks.map(
    ({ title, script }) =>
      `attempt() {\n${script}\n}\n(attempt) </dev/null\nprintf '\\n== %s\\n' '${title.replaceAll("'", "'\\''")}'`,
  );
  return `export proxy=\${https_proxy#http://}\n${each.join('\n')}\n`;
}

function textsOf(stdout: string): Map<string, string> {
  return new Map([...stdout.matchAll(/([\s\S]*?)\n== (.*)\n/g)].map(([, text = '', title = '']) => [title, text]));
}

const LOCAL_SERVER =
  "const server = require('node:http').createServer((_request, response) => response.end('LOCAL')).listen(0, '::', () => console.log(server.address().port))";
