import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AuditRecord } from '../../src/core/audit/record.ts';
import { bare, type Outcome } from '../support/bare.ts';
import { findProgram } from '../support/find-program.ts';
import { machinesRefused } from '../support/namespace.ts';
import { inside } from '../support/run-inside.ts';
import { makeDatabase } from '../support/servers/database.ts';
import { makeSshServer, type SshServer } from '../support/servers/ssh.ts';
import { useWorld } from '../support/world.ts';
import { CLIENTS, type Client, GO_CLIENT, PLAIN_CLIENT, SSH_TO, UNPACK_PIP } from './clients.ts';

const refused = machinesRefused();
if (refused !== undefined) console.warn(`skipped: programs and their servers (${refused.trim()})`);

/**
 * One server with several names: for runs, of which the policy allows the first of each pair, the one for all that is asked for and the other for some requests that
 * nobody makes; and for the same programs without gatekeeper.
 */
const NAMES = {
  inside: { allowed: 'good.test', denied: 'evil.test' },
  inspected: { allowed: 'looked.test', denied: 'refused.test' },
  outside: { allowed: 'good.outside.test', denied: 'evil.outside.test' },
};
const ADDRESSES: Record<string, string[]> = {
  [NAMES.inside.allowed]: ['93.184.216.10', '2606:2800:220::10'],
  [NAMES.inside.denied]: ['93.184.216.66', '2606:2800:220::66'],
  [NAMES.inspected.allowed]: ['93.184.216.12'],
  [NAMES.inspected.denied]: ['93.184.216.68'],
  [NAMES.outside.allowed]: ['93.184.216.11', '2606:2800:220::11'],
  [NAMES.outside.denied]: ['93.184.216.67', '2606:2800:220::67'],
};
const POLICY = `version: 1
name: clients
extends: [default]
policies:
  - action: network
    rules:
      - { destination: "${NAMES.inside.allowed}", effect: allow }
      - { destination: "${NAMES.inspected.allowed}:443", effect: allow, inspect: true }
      - { destination: "${NAMES.inspected.denied}:443", effect: allow, inspect: true, paths: ["/nothing/**"] }
  - action: shell_exec
    rules:
      - { command: "git push *", effect: allow, override: true }
`;

describe.skipIf(refused !== undefined)('a program of everyday use', () => {
  let ssh: SshServer | undefined;
  const world = useWorld({
    addresses: Object.values(ADDRESSES).flat(),
    zone: Object.fromEntries(Object.entries(ADDRESSES).map(([name, addresses]) => [name, [addresses]])),
    behind: ({ directory, serve }) => {
      ssh = makeSshServer(directory);
      const database = makeDatabase(directory);
      if (database) beginning.push(serve(database.argv, database.ready));
      return { ...(ssh && { 22: ssh.argv }), ...(database && { 5432: database.socket }) };
    },
  });
  const beginning: Promise<unknown>[] = [];
  beforeAll(async () => {
    layProject();
    await Promise.all([...beginning, world.sandbox.gatekeeper(['daemon', 'start']), ...makeClients()]);
  });

  describe.concurrent.each(CLIENTS.map((client) => [client.title, client] as const))('%s', (_title, client) => {
    it('reaches what is allowed as without gatekeeper, and nothing else', async ({ skip }) => {
      const missing = client.needs?.filter((name) => findProgram(name) === undefined) ?? [];
      if (missing.length > 0) {
        console.warn(`skipped: ${client.title} (there is no ${missing.join(', ')})`);
        return skip();
      }
      // Outside there is no proxy, and so one way alone.
      const outside = attemptsOf(await world.outside(...commandFor(client, 'outside', ['bare'])));
      const [argv, options] = commandFor(client, 'inside', waysOf(client));
      const result = await inside(world.sandbox, argv, { ...options, policy: POLICY });
      const attempts = attemptsOf(result);
      for (const way of waysOf(client)) {
        expect(outside['bare denied'], `outside: ${JSON.stringify(outside)}`).toMatchObject({ status: 0 });
        expect(attempts[`${way} allowed`], `${way}: ${result.stderr}`).toEqual(outside['bare allowed']);
        const denied = attempts[`${way} denied`];
        expect(denied?.status, `${way}: ${result.stderr}`).not.toBe(0);
        expect(denied?.text).not.toContain(outside['bare denied']?.text);
      }
      const receipts = result.receipts.map(briefly);
      for (const wanted of expectedReceipts(client)) expect(receipts).toContainEqual(wanted);
    });
  });

  it('has told nobody of a name that is denied', () => {
    const seen = world.seen();
    const questions = seen.filter((one) => one.kind === 'question');
    expect(questions.map(({ name }) => name)).toContain(NAMES.inside.allowed);
    expect(questions.map(({ name }) => name)).toContain(NAMES.outside.denied);
    expect(questions.filter(({ name }) => name.includes(NAMES.inside.denied))).toEqual([]);
    expect(seen.filter((one) => one.kind === 'connection' && ADDRESSES[NAMES.inside.denied]?.includes(one.to))).toEqual(
      [],
    );
  });

  function layProject(): void {
    const { sandbox } = world;
    chmodSync(sandbox.write('ssh-to', SSH_TO), 0o755);
    if (ssh) {
      chmodSync(sandbox.write('client-key', ssh.clientKey), 0o600);
      sandbox.write('known-hosts', `* ${ssh.hostKey}\n`);
    }
  }

  function makeClients(): Promise<unknown>[] {
    const { project } = world.sandbox;
    const at = (name: string) => join(project, name);
    const c = world.sandbox.write('client.c', PLAIN_CLIENT);
    const go = world.sandbox.write('client.go', GO_CLIENT);
    const commands = [
      ['python3', '-c', UNPACK_PIP, at('pip')],
      ['gcc', '-O1', '-o', at('client-glibc'), c],
      ['musl-gcc', '-O1', '-static', '-o', at('client-musl'), c],
      ['go', 'build', '-o', at('client-go'), go],
    ];
    const env = { CGO_ENABLED: '0', GO111MODULE: 'off', GOCACHE: join(world.sandbox.root, 'go') };
    return commands
      .filter(([program = '']) => findProgram(program) !== undefined)
      .map(async (argv) => expect(await bare(argv, { cwd: project, env })).toMatchObject({ status: 0 }));
  }

  function commandFor(
    client: Client,
    where: keyof typeof NAMES,
    ways: readonly string[],
  ): [string[], { cwd?: string; env: Record<string, string> }] {
    const own = join(world.sandbox.project, `${++directories}`);
    mkdirSync(own);
    const { allowed, denied } = NAMES[where];
    const inspected = Object.values(NAMES.inspected);
    const text = DRIVER.replace('SCRIPT', () => client.script).replace('WAYS', ways.join(' '));
    const env = { ...world.trust, REPOSITORIES: join(world.directory, 'git') };
    return [['bash', '-c', text, 'bash', own, allowed, denied, ...inspected], { env }];
  }
  let directories = 0;
});

type Way = 'proxied' | 'bare' | 'inspected';

/** By the proxy that the run's variables name, and by the name alone; and to a host whose requests are looked into. */
function waysOf({ via, only, port }: Client): readonly Way[] {
  if (only) return [only];
  return [...(via ? (['proxied'] as const) : []), ...(port === 443 ? (['inspected'] as const) : []), 'bare'];
}

type Attempt = { text: string; status: number };

/** Both hosts in each way, every time in a directory of its own; a line after each says how it ended. */
const DRIVER = `
client() {
SCRIPT
}
attempt() {
  mkdir "$own/$1-$2" && (cd "$own/$1-$2" && proxy=\${https_proxy#http://} && export proxy && client "$3" </dev/null)
  printf '\\n== %s %s %s\\n' "$1" "$2" "$?"
}
own=$1 allowed=$2 denied=$3
for way in WAYS; do
  if [ $way = bare ]; then unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NODE_USE_ENV_PROXY; fi
  if [ $way = inspected ]; then shift 2; fi
  attempt $way allowed "$2"
  attempt $way denied "$3"
  if [ $way = inspected ]; then set -- "$own" "$allowed" "$denied"; fi
done
`;

function attemptsOf({ stdout }: Outcome): Record<string, Attempt> {
  const found = [...stdout.matchAll(/([\s\S]*?)\n== (\w+ \w+) (\d+)\n/g)];
  return Object.fromEntries(found.map(([, text = '', name, status]) => [name, { text, status: Number(status) }]));
}

function expectedReceipts(client: Client): unknown[] {
  const { port, program } = client;
  const via = client.via ?? 'connect';
  const how = {
    proxied: { reached: { via, known: via }, stopped: { via, known: via, port } },
    inspected: {
      reached: { via: 'inspect', destination: NAMES.inspected.allowed },
      stopped: { via: 'inspect', destination: NAMES.inspected.denied, port },
    },
    bare: { reached: { via: 'transparent', known: 'dns' }, stopped: { via: 'dns', known: 'dns' } },
  };
  const who = { program: expect.stringMatching(program), pid: expect.any(Number) };
  const allowed = { ...who, port, destination: NAMES.inside.allowed };
  const denied = { ...who, action: 'network', verdict: 'deny', destination: NAMES.inside.denied };
  const bytes = { bytesUp: expect.toSatisfy(isSome), bytesDown: expect.toSatisfy(isSome) };
  return waysOf(client).flatMap((way) => [
    expect.objectContaining({ ...allowed, ...how[way].reached, action: 'network', verdict: 'allow' }),
    expect.objectContaining({ ...allowed, ...how[way].reached, ...bytes, action: 'connection_closed' }),
    ...(client.asksNobody ? [] : [expect.objectContaining({ ...denied, ...how[way].stopped })]),
  ]);
}

/** What the test speaks of, so that a failure can be read. */
function briefly(receipt: AuditRecord): Record<string, unknown> {
  const all = Object.entries(receipt);
  return Object.fromEntries(all.filter(([key]) => TOLD.has(key)));
}

const TOLD = new Set('action verdict destination port via known program pid bytesUp bytesDown reason'.split(' '));
const isSome = (bytes: number): boolean => bytes > 0;
