import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readRecords } from '../../src/adapters/audit-log/read.ts';
import { statusIfRunning } from '../../src/adapters/control-client/start-daemon.ts';
import { bare } from '../support/bare.ts';
import { until } from '../support/daemon-fixture.ts';
import { GATEKEEPER, type Sandbox, useSandbox } from '../support/sandbox.ts';

const policy = (rules: string) => `version: 1
name: names
extends: [default]
policies:
  - action: network
    rules:
${rules}`;

const network = ({ layout }: Sandbox) =>
  [...readRecords(layout.audit)].flat().filter(({ action }) => action === 'network');

describe('a program that asks for names', () => {
  const sandbox = useSandbox();

  it('hears of those that the policy lets be reached, and of no others', async () => {
    writeFileSync(
      join(sandbox.root, 'policy.yaml'),
      policy('      - { destination: ["api.good.test:8080", "*.wild.test:8080"], effect: allow }\n'),
    );
    writeFileSync(
      join(sandbox.root, 'inside.sh'),
      `grep ^nameserver /etc/resolv.conf
grep -c 'api.good.test$' /etc/hosts
getent ahosts api.good.test | cut -d' ' -f1 | uniq
getent ahosts deep.wild.test | cut -d' ' -f1 | uniq | sort
getent hosts data-to-tell.evil.test; echo $?
getent hosts localhost | cut -d' ' -f1
python3 -c "
import socket
def ask(name, family=0):
    try: print(sorted({a[4][0] for a in socket.getaddrinfo(name, 8080, family)}))
    except OSError as error: print(error.strerror)
ask('deep.wild.test')
ask('other.wild.test', socket.AF_INET)
ask('more-data.evil.test')
ask('app.localhost', socket.AF_INET)
"
`,
    );
    const run = ['run', '--policy', join(sandbox.root, 'policy.yaml'), '--', 'sh', join(sandbox.root, 'inside.sh')];
    const { stdout } = await sandbox.gatekeeper(run);
    expect(stdout.trim().split('\n')).toEqual([
      'nameserver 198.18.0.1',
      '1',
      '198.18.0.2',
      '198.18.0.3',
      '2001:2::c612:3',
      '2',
      expect.stringMatching(/^(127\.0\.0\.1|::1)$/),
      "['198.18.0.3', '2001:2::c612:3']",
      "['198.18.0.4']",
      'Name or service not known',
      "['127.0.0.1']",
    ]);
    const asked = network(sandbox).filter(({ via }) => via === 'dns');
    expect(new Set(asked.map(({ destination }) => destination))).toEqual(
      new Set(['data-to-tell.evil.test', 'more-data.evil.test']),
    );
    for (const receipt of asked) expect(receipt).toMatchObject({ verdict: 'deny', known: 'dns', reason: 'no-rule' });
  });

  it('is understood by the daemon that comes back after the one that gave it an address was killed', async () => {
    writeFileSync(
      join(sandbox.root, 'policy.yaml'),
      policy('      - { destination: "*.wild.test:443", effect: allow }\n'),
    );
    const inside = sandbox.write(
      'inside.py',
      `import os, socket, time
def ask(name): return socket.getaddrinfo(name, 8080, socket.AF_INET)[0][4]
kept = ask('kept.wild.test')
open('asked', 'w').close()
while not os.path.exists('back'): time.sleep(0.02)
while True:
    try:
        socket.create_connection(kept, 20).recv(1)  # a port that is refused, so that nothing is looked up
    except PermissionError:  # the supervisor has not found its new daemon yet
        time.sleep(0.02)
        continue
    except OSError: pass
    try: print(kept[0], ask('kept.wild.test')[0], ask('next.wild.test')[0])
    except socket.gaierror:
        time.sleep(0.02)
        continue
    break
`,
    );
    const policyFile = join(sandbox.root, 'policy.yaml');
    const run = sandbox.gatekeeper(['run', '--policy', policyFile, '--', 'python3', inside]);
    await until(() => existsSync(join(sandbox.project, 'asked')));
    const killed = await statusIfRunning(sandbox.layout);
    process.kill(killed!.pid, 'SIGKILL');
    await sandbox.gatekeeper(['daemon', 'start']);
    sandbox.write('back', '');
    expect((await run).stdout).toBe('198.18.0.2 198.18.0.2 198.18.0.3\n');
    const refused = network(sandbox).filter(({ via }) => via === 'transparent');
    expect(refused[0]).toMatchObject({ destination: 'kept.wild.test', port: 8080, known: 'dns', reason: 'no-rule' });
  });
});

/** In namespaces of the test's own, where the user's file of hosts says where names really are. */
describe.runIf(process.getuid?.() === 0)('a program that knows no proxy', () => {
  const sandbox = useSandbox();

  it('reaches a name by the address that stands for it, where a rule allows the name', async () => {
    writeFileSync(
      join(sandbox.root, 'policy.yaml'),
      policy(`      - { destination: ["api.good.test:8080", "*.wild.test:8080"], effect: allow }
      - { destination: "10.99.0.0/24", effect: allow }
`),
    );
    writeFileSync(
      join(sandbox.root, 'hosts'),
      '127.0.0.1 localhost\n10.99.0.1 api.good.test deep.wild.test\n10.98.0.1 data.evil.test\n',
    );
    sandbox.write('index.html', 'from the outside\n');
    const ask = (host: string, port: number) =>
      `curl -sS --noproxy '*' --max-time 20 http://${host}:${port}/ 2>/dev/null || echo "refused $?"`;
    writeFileSync(
      join(sandbox.root, 'inside.sh'),
      [
        ask('api.good.test', 8080),
        ask('deep.wild.test', 8080),
        ask('api.good.test', 8081),
        ask('data.evil.test', 8080),
        'grep -c "10.9[89]" /etc/hosts',
      ].join('\n'),
    );
    writeFileSync(
      join(sandbox.root, 'outside.sh'),
      `set -e
ip link set lo up
ip route add local 10.99.0.1 dev lo # of no interface, as other machines are
mount --bind '${sandbox.root}/hosts' /etc/hosts
exec 3< <(exec python3 -c "
import http.server, threading
for port in (8080, 8081):
    s = http.server.ThreadingHTTPServer(('10.99.0.1', port), http.server.SimpleHTTPRequestHandler)
    threading.Thread(target=s.serve_forever).start()
print('ready', flush=True)
" 2>/dev/null)
server=$!
trap 'kill $server' EXIT
read -r _ <&3
getent hosts data.evil.test | cut -d' ' -f1
'${process.execPath}' '${GATEKEEPER}' run --policy '${sandbox.root}/policy.yaml' -- sh '${sandbox.root}/inside.sh'
'${process.execPath}' '${GATEKEEPER}' daemon stop >/dev/null
`,
    );
    const outside = ['unshare', '-mn', 'bash', join(sandbox.root, 'outside.sh')];
    const { stdout } = await bare(outside, { cwd: sandbox.project, env: sandbox.env });
    expect(stdout.trim().split('\n')).toEqual([
      '10.98.0.1',
      'from the outside',
      'from the outside',
      // The address takes connections for its name; what the daemon then refuses, it resets.
      expect.stringMatching(/^refused (7|52|56)$/),
      'refused 6',
      '0',
    ]);
    const told = network(sandbox).map(({ verdict, destination, port, via, known, address }) =>
      [verdict, destination, port ?? '-', via, known, address ?? '-'].join(' '),
    );
    expect(new Set(told)).toEqual(
      new Set([
        'allow api.good.test 8080 transparent dns 10.99.0.1',
        'allow deep.wild.test 8080 transparent dns 10.99.0.1',
        'deny api.good.test 8081 transparent dns -',
        'deny data.evil.test - dns dns -',
      ]),
    );
  });
});
