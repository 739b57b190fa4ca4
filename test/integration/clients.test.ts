import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
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
      const outside = attemptsOf(await world.outside(...commandFor(client, outsideOf(client))));
      const [argv, options] = commandFor(client, insideOf(client));
      const result = await inside(world.sandbox, argv, { ...options, policy: POLICY });
      const attempts = attemptsOf(result);
      const { text } = outside['bare allowed']!;
      for (const [name, attempt] of Object.entries(outside))
        expect([name, attempt]).toEqual([name, { text, status: 0 }]);
      expect(Object.keys(attempts)).toEqual(insideOf(client).map(({ way, word }) => `${way} ${word}`));
      for (const { way, word } of insideOf(client)) {
        const attempt = attempts[`${way} ${word}`];
        if (word === 'allowed') expect(attempt, `${way}: ${result.stderr}`).toEqual({ text, status: 0 });
        else expect(attempt?.status, `${way}: ${result.stderr}`).not.toBe(0);
        if (word === 'denied') expect(attempt?.text).not.toContain(text);
      }
      await vi.waitFor(() => {
        const receipts = world.records(result.run?.id ?? '').map(briefly);
        for (const wanted of expectedReceipts(client)) expect(receipts).toContainEqual(wanted);
      }, SETTLING);
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
    { script }: Client,
    attempts: readonly Try[],
  ): [string[], { cwd?: string; env: Record<string, string> }] {
    const own = join(world.sandbox.project, `${++directories}`);
    mkdirSync(own);
    const each = attempts.map(({ way, word, host }) => `attempt ${way} ${word} ${host}`);
    const text = [DRIVER.replace('SCRIPT', () => script), ...each].join('\n');
    const env = { ...world.trust, REPOSITORIES: join(world.directory, 'git') };
    return [['bash', '-c', text, 'bash', own], { env }];
  }
  let directories = 0;
});

/** By the proxy that the run's variables name; to a host whose requests are looked into; and by the name alone, without those variables. */
type Way = 'proxied' | 'inspected' | 'bare';
type Try = { way: Way; word: 'allowed' | 'denied'; host: string };

function insideOf({ via, only, port, slow }: Client): Try[] {
  const ways: Way[] = only ? [only] : [];
  if (!only && via) ways.push('proxied');
  if (!only && port === 443) ways.push('inspected');
  if (!only) ways.push('bare');
  return ways.flatMap((way) => {
    const { allowed, denied } = NAMES[way === 'inspected' ? 'inspected' : 'inside'];
    const reached: Try = { way, word: 'allowed', host: allowed };
    return slow && way !== 'proxied' ? [reached] : [reached, { way, word: 'denied', host: denied }];
  });
}

/** There is no proxy outside, and so one way alone. */
function outsideOf({ slow }: Client): Try[] {
  const reached: Try = { way: 'bare', word: 'allowed', host: NAMES.outside.allowed };
  return slow ? [reached] : [reached, { way: 'bare', word: 'denied', host: NAMES.outside.denied }];
}

type Attempt = { text: string; status: number };

/** Each attempt has a directory of its own; a line after it says how it ended. */
const DRIVER = `
own=$1
client() {
SCRIPT
}
attempt() {
  if [ $1 = bare ]; then unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NODE_USE_ENV_PROXY; fi
  mkdir "$own/$1-$2" && (cd "$own/$1-$2" && proxy=\${https_proxy#http://} && export proxy && client "$3" </dev/null)
  printf '\\n== %s %s %s\\n' "$1" "$2" "$?"
}`;

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
  return insideOf(client).flatMap(({ way, word }) =>
    word === 'allowed'
      ? [
          expect.objectContaining({ ...allowed, ...how[way].reached, action: 'network', verdict: 'allow' }),
          expect.objectContaining({ ...allowed, ...how[way].reached, ...bytes, action: 'connection_closed' }),
        ]
      : way === 'bare' && client.asksNobody
        ? []
        : [expect.objectContaining({ ...denied, ...how[way].stopped })],
  );
}

/** What the test speaks of, so that a failure can be read. */
function briefly(receipt: Record<string, unknown>): Record<string, unknown> {
  const all = Object.entries(receipt);
  return Object.fromEntries(all.filter(([key]) => TOLD.has(key)));
}

const TOLD = new Set('action verdict destination port via known program pid bytesUp bytesDown reason'.split(' '));
const SETTLING = { timeout: 10_000, interval: 50 };
const isSome = (bytes: number): boolean => bytes > 0;
