import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runProgram } from '../../src/cli/program.ts';
import { plainEnvironment } from '../support/bare.ts';
import { wantedHooks, withHooks } from '../support/hooks.ts';
import { GATEKEEPER, useSandbox } from '../support/sandbox.ts';

/** One run that goes on through all of this: each line of its input is a URL or a name to try, each of its output what came of it. */
const sandbox = useSandbox();
const before = process.cwd();
let run: ChildProcessWithoutNullStreams;
let answers: AsyncIterator<string>;
let server: Server;
let place: string;

beforeAll(async () => {
  vi.stubEnv('GATEKEEPER_HOME', sandbox.home);
  process.chdir(sandbox.project);
  server = createServer((_, answer) => answer.end('hello')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  place = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { options, through } = withHooks(sandbox, wantedHooks());
  const inside = `while read -r url; do case $url in *:*) ;; *) getent hosts "$url"; echo 0/0; continue ;; esac; curl -s -o /dev/null -w '%{http_code}/%{http_connect}\\n' --noproxy '' "$url"; done`;
  const command = ['--name', 'tries', '--net-allow', '192.0.2.7:1', ...options, '--', ...through, 'bash', '-c', inside];
  run = spawn(process.execPath, [GATEKEEPER, 'run', ...command], {
    cwd: sandbox.project,
    env: { ...plainEnvironment(), ...sandbox.env },
    stdio: 'pipe',
  });
  answers = createInterface({ input: run.stdout })[Symbol.asyncIterator]();
});

afterAll(async () => {
  const gone = run.exitCode === null ? once(run, 'exit') : undefined;
  run.stdin.end();
  await gone;
  server.close();
  process.chdir(before);
  vi.unstubAllEnvs();
});

/** The status that a connection of the run comes to: of a tunnel that is refused the proxy's. */
async function attempt(url: string): Promise<number> {
  run.stdin.write(`${url}\n`);
  const [status = 0, tunnel = 0] = ((await answers.next()).value as string).split('/').map(Number);
  return status || tunnel;
}

/** What a verb prints, done in this process: a program for each would take most of the time. */
async function cli(...args: string[]): Promise<{ status: number; stdout: string }> {
  const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    const status = await runProgram(args);
    return { status, stdout: written.mock.calls.map(([text]) => text).join('') };
  } finally {
    written.mockRestore();
  }
}

async function net(...args: string[]): Promise<string> {
  const { status, stdout } = await cli('net', ...args);
  expect(status).toBe(0);
  return stdout;
}

describe('a change of the policy', () => {
  it('is obeyed by the next connection of a run that goes on, which it says', async () => {
    const url = `http://${place}/`;
    expect(await attempt(url)).toBe(403);
    const said = await net('allow', place, 'never.example', '--reason', 'for this test');
    expect(said).toMatch(
      /^allowed {2}127\.0\.0\.1:\d+\nallowed {2}never\.example\nin .*; from the next connection on in: tries\n$/,
    );
    expect(await attempt(url)).toBe(200);
    expect(await net('deny', place)).toContain('from the next connection on in: tries');
    expect(await attempt(url)).toBe(403);
    expect(await net('remove', place, 'never.example')).toContain('from the next connection on in: tries');
    expect(await attempt(url)).toBe(403);
  });

  it('does not reach a run under another policy, which it says', async () => {
    await sandbox.gatekeeper(['run', '--detach', '--name', 'apart', '--policy', 'observe', '--', 'sleep', '60']);
    const { runs } = JSON.parse(await net('allow', 'later.example', '--json'));
    await sandbox.gatekeeper(['kill', 'apart']);
    expect(runs).toEqual([
      expect.objectContaining({ name: 'tries', state: 'taken' }),
      expect.objectContaining({ name: 'apart', state: 'other', policy: 'observe' }),
    ]);
  });

  it('is made, and said to be without effect, where a project denies', async () => {
    sandbox.write('strict/.gatekeeper.yaml', PROJECT);
    process.chdir('strict');
    expect(await net('allow', 'no.example:443')).toMatch(
      /^allowed {2}no\.example:443\n {2}without effect here: project:\.gatekeeper\.yaml:6 deny \*\.example: not here\n {2}at .*strict\/\.gatekeeper\.yaml:6\n/,
    );
    expect(await net('remove', 'no.example:443')).toContain(
      '\n  still denied: project:.gatekeeper.yaml:6 deny *.example\n',
    );
    process.chdir('..');
  });

  it('is refused as a whole, with the text to write, when a URL was typed', async () => {
    const { stderr, status } = await sandbox.gatekeeper(['net', 'allow', 'a.example', 'https://b.example/v1']);
    expect([status, stderr]).toEqual([
      2,
      'gatekeeper: a URL is not a destination (https://b.example/v1); write b.example:443\n',
    ]);
    expect(await net('list')).not.toContain('a.example');
  });
});

it('net list --run shows the rules of the run, with those of its command line', async () => {
  const { rules } = JSON.parse(await net('list', '--run', 'tries', '--json'));
  expect(rules).toContainEqual(
    expect.objectContaining({
      destination: '192.0.2.7:1',
      effect: 'allow',
      rule: 'command-line:--net-allow:1',
      requests: '',
    }),
  );
  expect(await net('list')).not.toContain('192.0.2.7');
});

describe('net suggest', () => {
  it('gives a block that allows what was refused, once it stands in a policy', async () => {
    expect(await attempt('https://one.refused.example/')).toBe(403);
    expect(await attempt('https://two.refused.example:8443/')).toBe(403);
    expect(await attempt('http://169.254.169.254/')).toBe(403);
    expect(await attempt('three.asked.example')).toBe(0);
    const block = await net('suggest', 'tries');
    expect(block).toMatch(
      /"three\.asked\.example:443", effect: allow \} # (once|\d times), getent, asked for by name alone/,
    );
    expect(block).toContain('#   169.254.169.254:80  once, clouds hand out credentials at this address');
    expect(block).toContain(`if you mean it: gatekeeper net allow localhost:${place.split(':')[1]}`);
    const file = join(sandbox.root, 'suggested.yaml');
    writeFileSync(file, `version: 1\nname: s\nextends: [default]\npolicies:\n${block}`);
    for (const [destination, verdict] of [
      ['one.refused.example:443', 0],
      ['two.refused.example:8443', 0],
      ['x.refused.example:443', 1],
    ] as const)
      expect((await cli('policy', 'explain', 'network', destination, '--policy', file)).status).toBe(verdict);
  });

  it('writes it with --apply, and has nothing more to say of it then', async () => {
    const { applied } = JSON.parse(await net('suggest', 'tries', '--apply', '--json'));
    const made = (applied.results as { destination: string; changed: boolean; effect: { verdict: string } }[])
      .filter(({ changed, effect }) => changed && effect.verdict === 'allow')
      .map(({ destination }) => destination);
    expect(made.sort()).toEqual(['one.refused.example:443', 'three.asked.example:443', 'two.refused.example:8443']);
    // Nobody answers to the name, but it is asked for now.
    expect(await attempt('https://one.refused.example/')).toBe(502);
    expect(JSON.parse(await net('suggest', 'tries', '--json'))).toMatchObject({
      rules: [],
      applied: null,
      allowedByNow: ['one.refused.example:443', 'three.asked.example:443', 'two.refused.example:8443'],
    });
  });
});

it('completion offers what was refused, and what the policy names', async () => {
  const words = async (which: string) => (await cli('completion', which)).stdout.split('\n');
  expect(await words('net-refused')).toContain('two.refused.example:8443');
  expect(await words('net-own')).toEqual(expect.arrayContaining(['later.example', 'one.refused.example:443']));
});

describe('net watch', () => {
  const tmuxServer = `gk-net-${process.pid}`;
  const tmux = (...args: string[]): string => execFileSync('tmux', ['-L', tmuxServer, ...args], { encoding: 'utf8' });
  const screen = (): string => tmux('capture-pane', '-p', '-t', 'watch');
  const shows = async (what: RegExp): Promise<void> => {
    for (let round = 0; round < 600 && !what.test(screen()); round++) await sleep(50);
    expect(screen()).toMatch(what);
  };

  it('is a table on a terminal, drawn in place, until it is interrupted', async () => {
    const command = `env GATEKEEPER_HOME=${sandbox.home} ${process.execPath} ${GATEKEEPER} net watch; echo "status $?"; cat`;
    tmux('-f', '/dev/null', 'new-session', '-d', '-x', '120', '-y', '30', '-s', 'watch', command);
    try {
      await shows(/^allow +one\.refused\.example:443 +curl +2 .* connect +user:policy\.yaml:\d+$/m);
      expect(await attempt('https://three.refused.example/')).toBe(403);
      await shows(/^VERDICT .*\ndeny +three\.refused\.example:443 +curl +1 /m);
      expect(await attempt('https://three.refused.example/')).toBe(403);
      await shows(/^VERDICT .*\ndeny +three\.refused\.example:443 +curl +2 /m);
      expect(screen().match(/VERDICT/g)).toHaveLength(1);
      tmux('send-keys', '-t', 'watch', 'C-c');
      await shows(/ open\n(\^C)?status 0$/m);
    } finally {
      tmux('kill-server');
    }
  });

  it('is lines elsewhere, and ends with the run that it is about', async () => {
    const watch = async (...options: string[]) =>
      (await sandbox.gatekeeper(['net', 'watch', '--run', 'tries', ...options])).stdout;
    const watched = Promise.all([watch('--json'), watch()]);
    run.stdin.end();
    const [json, text] = await watched;
    const records = json
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
    expect(records.filter(({ verdict, port }) => verdict === 'deny' && port === 8443)).toHaveLength(1);
    expect(records.filter(({ action, bytesDown }) => action === 'connection_closed' && bytesDown > 0)).toHaveLength(1);
    expect(text).toMatch(
      / deny +network +two\.refused\.example:8443 {2}curl\[\d+\] {2}via connect {2}default, no-rule\n/,
    );
  });
});

const PROJECT = `version: 1
name: strict
policies:
  - action: network
    rules:
      - { destination: "*.example", effect: deny, reason: "not here" }
`;
