import { execFileSync } from 'node:child_process';
import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { findProgram } from '../support/find-program.ts';
import { hintsPolicy } from '../support/hinted.ts';
import { type InsideOptions, type InsideOutcome, inside } from '../support/run-inside.ts';
import { useSandbox } from '../support/sandbox.ts';

const RULES = `policies:
  - action: network
    rules:
      - { destination: "exact.test:443", effect: allow }
      - { destination: "*.wild.test:443", effect: allow }
`;
const POLICY = `version: 1\nname: resolvers\nextends: [default]\n${RULES}`;

/**
 * Programs that look names up, each with an implementation of its own, or by its own way into another's. For each of the names "$@" they print a line with its
 * addresses, which is empty where there are none.
 */
const RESOLVERS: readonly { title: string; needs?: string; command: string; files?: 'only' }[] = [
  { title: 'getent', command: 'for name; do echo $(getent ahosts $name); done' },
  { title: 'a program of glibc', command: './lookup-glibc "$@"', needs: 'gcc' },
  { title: 'a static program of glibc', command: './lookup-static "$@"', needs: 'gcc' },
  {
    title: 'a static program of musl, which knows files and datagrams alone',
    command: './lookup-musl "$@"',
    needs: 'musl-gcc',
    files: 'only',
  },
  { title: 'Python', command: 'python3 lookup.py "$@"' },
  { title: 'Node by the C library', command: 'node lookup.cjs lookup "$@"' },
  { title: 'Node by c-ares', command: 'node lookup.cjs resolve4 "$@"' },
  {
    title: 'Perl',
    needs: 'perl',
    command: `perl -MSocket -e 'for (@ARGV) { $a = gethostbyname($_); print $a ? inet_ntoa($a) : "", "\n" }' "$@"`,
  },
  { title: 'Java', needs: 'java', command: 'java -XX:TieredStopAtLevel=1 Lookup.java "$@"' },
  { title: 'host, told to ask by TCP', needs: 'host', command: 'for name; do echo $(host -T $name); done' },
  { title: 'dig, told to ask by TCP', needs: 'dig', command: 'for name; do echo $(dig +tcp +short $name); done' },
];
const NAMES = ['exact.test', 'some.wild.test', 'other.test', 'localhost'];

const LOOKUP_C = `
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
int main(int argc, char **argv) {
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
	char text[64];
	for (int i = 1; i < argc; i++, puts(""))
		if (getaddrinfo(argv[i], NULL, &hints, &list) == 0)
			for (; list != NULL; list = list->ai_next)
				if (getnameinfo(list->ai_addr, list->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST) == 0)
					printf("%s ", text);
	return 0;
}`;
const LOOKUP_PYTHON = `
import socket, sys
for name in sys.argv[1:]:
    try: print(*(one[4][0] for one in socket.getaddrinfo(name, 443)))
    except OSError: print()
`;
const LOOKUP_NODE = `
const [how, ...names] = process.argv.slice(2);
const look = require('node:dns/promises')[how];
(async () => {
  for (const name of names) {
    const all = await look(name, ...(how === 'lookup' ? [{ all: true }] : [])).catch(() => []);
    console.log(...all.map((one) => one.address ?? one));
  }
})();
`;
const LOOKUP_JAVA = `class Lookup {
  public static void main(String[] names) {
    for (var name : names) {
      try {
        for (var one : java.net.InetAddress.getAllByName(name)) System.out.print(one.getHostAddress() + " ");
      } catch (java.net.UnknownHostException unknown) {
      }
      System.out.println();
    }
  }
}`;

const sandbox = useSandbox();
beforeAll(() => {
  const source = sandbox.write('lookup.c', LOOKUP_C);
  sandbox.write('Lookup.java', LOOKUP_JAVA);
  sandbox.write('lookup.py', LOOKUP_PYTHON);
  sandbox.write('lookup.cjs', LOOKUP_NODE);
  const compile = (program: string, name: string, ...flags: string[]): void => {
    const output = join(sandbox.project, name);
    if (findProgram(program)) execFileSync(program, ['-O1', ...flags, '-o', output, source], { stdio: 'ignore' });
  };
  compile('gcc', 'lookup-glibc');
  compile('gcc', 'lookup-static', '-static');
  compile('musl-gcc', 'lookup-musl', '-static');
});

describe('a program that looks names up', () => {
  const run = (script: string, options: InsideOptions = {}): Promise<InsideOutcome> =>
    inside(sandbox, ['bash', '-c', script], { policy: POLICY, ...options });
  const denials = ({ receipts }: InsideOutcome) => receipts.filter(({ verdict }) => verdict === 'deny');

  describe('by', () => {
    let outcome: InsideOutcome;
    const found = new Map<string, string[]>();
    beforeAll(async () => {
      const there = RESOLVERS.filter(({ needs }) => needs === undefined || findProgram(needs) !== undefined);
      const script = there.map(({ title, command }) => `echo '== ${title}'; { ${command}; } 2>/dev/null`).join('\n');
      outcome = await inside(sandbox, ['bash', '-c', script, 'bash', ...NAMES], { policy: POLICY });
      for (const [, title = '', lines = ''] of outcome.stdout.matchAll(/== (.*)\n((?:(?!== ).*\n)*)/g))
        found.set(title, lines.split('\n'));
    });

    it.for(RESOLVERS.map((resolver) => [resolver.title, resolver] as const))(
      '%s, it gets addresses of what it may reach, and of nothing else',
      ([title, { needs, files }], { skip }) => {
        if (needs !== undefined && findProgram(needs) === undefined) {
          console.warn(`skipped: ${title} (there is no ${needs})`);
          return skip();
        }
        const [exact, wild, other, localhost] = found.get(title) ?? [];
        expect(exact, outcome.stderr).toMatch(SYNTHETIC);
        if (files === 'only') expect(wild).toBe('');
        else expect(wild, outcome.stderr).toMatch(SYNTHETIC);
        expect(other).not.toMatch(/\d\.\d/);
        expect(localhost).toMatch(/127\.0\.0\.1|::1/);
      },
    );

    it('all of them, nobody is asked but the resolver of the run', () => {
      const told = denials(outcome).map(({ action, destination, via, known }) => ({ action, destination, via, known }));
      const refused = { action: 'network', destination: 'other.test', via: 'dns', known: 'dns' };
      expect(told.length).toBeGreaterThan(0);
      expect(told).toEqual(told.map(() => refused));
    });
  });

  it('says by its hooks, once for a look-up, which name no rule lets be reached, and nothing of others', async () => {
    const script = `getent ahosts other.test; python3 lookup.py other.test; getent ahosts exact.test; getent ahosts 192.0.2.1`;
    const { stderr } = await run(script, { hooks: 'on' });
    const line =
      'gatekeeper: denied network other.test: no rule lets this name be reached. Ask the user if you need it; they can see: gatekeeper policy explain network other.test';
    expect(stderr.split('\n').filter((one) => one.includes('denied'))).toEqual([line, line]);
  });

  it('meets the same name by each address of it and every socket that takes one', async () => {
    const script = `
import socket
def ends(family, address, only=False):
    with socket.socket(family) as s:
        if family == socket.AF_INET6: s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only)
        try:
            s.connect((address, 80)); s.sendall(b"x"); return "answered" if s.recv(1) else "ended"
        except (ConnectionResetError, BrokenPipeError): return "ended"
(v4,) = socket.gethostbyname_ex("one.wild.test")[2]
v6 = socket.getaddrinfo("one.wild.test", 80, socket.AF_INET6)[0][4][0] if socket.has_ipv6 else None
print(ends(socket.AF_INET, v4), ends(socket.AF_INET6, "::ffff:" + v4))
for only in (False, True): print(ends(socket.AF_INET6, v6, only))
print(socket.gethostbyaddr(v4)[0])`;
    const outcome = await inside(sandbox, ['python3', '-c', script], { policy: POLICY });
    expect(outcome.stdout, outcome.stderr).toBe('ended ended\nended\nended\none.wild.test\n');
    // Port 80 is not allowed: each refusal tells the name that was meant.
    const meant = { destination: 'one.wild.test', port: 80, via: 'transparent', known: 'dns' };
    expect(denials(outcome)).toEqual(Array.from({ length: 4 }, () => expect.objectContaining(meant)));
  });

  it('gets nothing by an address that stands for a name in another run alone', async () => {
    const found = await run('getent ahostsv4 mine.wild.test | head -1');
    const address = found.stdout.split(' ')[0]!;
    expect(address).toMatch(/^198\.18\.0\.\d+$/);
    const script = `exec 3<>/dev/tcp/$0/443 && echo >&3 && cat <&3`;
    const other = await inside(sandbox, ['bash', '-c', script, address], {
      policy: `version: 1\nname: other\nextends: [default]\n`,
    });
    expect(other.stdout).toBe('');
    expect(denials(other)).toContainEqual(expect.objectContaining({ action: 'network', destination: address }));
  });
});

describe('where the hook alone enforces', () => {
  it('what resolves by itself is served as elsewhere, and the C library sends no datagrams', async () => {
    const script = 'echo $RES_OPTIONS; node lookup.cjs resolve4 "$@"; getent ahosts some.wild.test';
    const outcome = await inside(sandbox, ['sh', '-c', script, 'sh', ...NAMES], {
      policy: POLICY,
      options: ['--enforce=hook'],
      hooks: 'on',
      env: { RES_OPTIONS: 'attempts:1' },
    });
    const [options, exact, wild, other, , ...found] = outcome.stdout.split('\n');
    expect(options).toBe('attempts:1 use-vc');
    expect([exact, wild], outcome.stderr).toEqual([expect.stringMatching(SYNTHETIC), expect.stringMatching(SYNTHETIC)]);
    expect([other, ...found]).toEqual(['', '']);
  });
});

describe('the files that say how names are looked up', () => {
  beforeAll(() => symlinkSync('/etc/hosts', join(sandbox.project, 'link')));
  const OFFERED = /nameserver 198\.18\.0\.1\n[\s\S]*use-vc[\s\S]*localhost[\s\S]*198\.18\.0\.\d+\texact\.test/;
  const cat = 'cat /etc/resolv.conf /etc/hosts';

  it.each([
    ['by the supervisor', POLICY, {}],
    [
      'where every file there may be hinted',
      hintsPolicy('', '').replace('"./open/**"', '"/etc/**", "./open/**"') + RULES.replace('policies:\n', ''),
      { hooks: 'on' },
    ],
    ['in a simulated run', POLICY, { options: ['--simulate'] }],
    ['at the level of the hook', POLICY, { options: ['--enforce=hook'], hooks: 'on' }],
  ] as const)('are the ones of the run: %s', async (_, policy, options) => {
    const outcome = await inside(sandbox, ['sh', '-c', cat], { policy, ...options });
    expect(outcome.stdout, outcome.stderr).toMatch(OFFERED);
    expect(outcome.stdout).not.toMatch(realServers());
  });

  it('are the ones of the run by every spelling', async () => {
    const ways = ['link', '/proc/self/root/etc/hosts', '/etc/../etc/hosts', '//etc/./hosts'];
    const script = `for way in ${ways.join(' ')}; do grep -c exact.test $way; done; cd /etc && grep -c exact.test hosts`;
    const outcome = await inside(sandbox, ['sh', '-c', script], { policy: POLICY });
    expect(outcome.stdout, outcome.stderr).toBe('1\n'.repeat(ways.length + 1));
  });

  it('are refused where reading the real ones is', async () => {
    const policy = `${POLICY}  - action: file_read\n    rules:\n      - { path: "/etc/hosts", effect: deny }\n`;
    const outcome = await inside(sandbox, ['cat', '/etc/hosts'], { policy });
    expect([outcome.status, outcome.stdout]).toEqual([1, '']);
    expect(outcome.receipts).toContainEqual(
      expect.objectContaining({ action: 'file_read', verdict: 'deny', target: '/etc/hosts' }),
    );
  });

  it('keep what leads to this machine', async () => {
    const own = readFileSync('/etc/hosts', 'utf8')
      .split('\n')
      .filter((line) => /^127\./.test(line));
    const outcome = await inside(sandbox, ['cat', '/etc/hosts'], { policy: POLICY });
    for (const line of own) expect(outcome.stdout.split('\n')).toContain(line);
  });
});

const SYNTHETIC = /\b198\.1[89]\.\d+\.\d+\b/;

/** What the system's own file says, unless it says nothing. */
function realServers(): RegExp {
  const text = readFileSync('/etc/resolv.conf', 'utf8');
  const servers = [...text.matchAll(/^nameserver\s+(\S+)/gm)].map(([, server = '']) => server);
  return new RegExp(servers.length === 0 ? '\\0' : servers.map((server) => server.replaceAll('.', '\\.')).join('|'));
}
