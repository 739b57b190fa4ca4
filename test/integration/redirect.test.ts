import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readRecords } from '../../src/adapters/audit-log/read.ts';
import { bare } from '../support/bare.ts';
import { GATEKEEPER, useSandbox } from '../support/sandbox.ts';

/**
 * Connections beyond loopback, in a network namespace of the test's own, where more addresses stand for the outside. Programs that know no
 * proxy reach what a rule allows and nothing else.
 */
describe.runIf(process.getuid?.() === 0)('a connection beyond loopback', () => {
  const sandbox = useSandbox();
  const policy = `version: 1
name: redirect
extends: [default]
policies:
  - action: network
    rules:
      - { destination: "10.99.0.0/24:8080", effect: allow }
      - { destination: "[fd99::]/64:8080", effect: allow }
`;

  it('of a program that ignores proxies goes where a rule allows, with its receipt, and nowhere else', async () => {
    writeFileSync(join(sandbox.root, 'policy.yaml'), policy);
    sandbox.write('index.html', 'from the outside\n');
    const client = (address: string, port: number): string =>
      `python3 -c "
import socket
s = socket.create_connection(('${address}', ${port}), 5)
s.sendall(b'GET / HTTP/1.0\\r\\n\\r\\n')
print(b''.join(iter(lambda: s.recv(4096), b'')).split(b'\\r\\n\\r\\n')[1].decode().strip())
" 2>&1 | tail -1`;
    writeFileSync(
      join(sandbox.root, 'inside.sh'),
      [
        client('10.99.0.1', 8080),
        client('fd99::1', 8080),
        client('10.99.0.1', 8081),
        client('10.98.0.1', 8080),
        `curl -sS --noproxy '*' --max-time 5 http://10.99.0.1:8080/`,
        `curl -sS --max-time 5 http://10.99.0.1:8080/`,
        `curl -sS --max-time 5 -o /dev/null -w '%{http_code}\\n' http://10.99.0.1:8081/`,
      ].join('\n'),
    );
    writeFileSync(
      join(sandbox.root, 'outside.sh'),
      `set -e
ip link set lo up
ip addr add 10.99.0.1/24 dev lo
ip addr add 10.98.0.1/24 dev lo
ip addr add fd99::1/64 dev lo nodad
python3 -c "
import http.server, socket, threading, time
class S(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
for port in (8080, 8081):
    s = S(('::', port), http.server.SimpleHTTPRequestHandler)
    threading.Thread(target=s.serve_forever, daemon=True).start()
time.sleep(60)
" 2>/dev/null & trap "kill $!" EXIT
sleep 1
'${process.execPath}' '${GATEKEEPER}' run --policy '${sandbox.root}/policy.yaml' -- sh '${sandbox.root}/inside.sh'
'${process.execPath}' '${GATEKEEPER}' daemon stop >/dev/null
`,
    );
    const result = await bare(['unshare', '-n', 'bash', join(sandbox.root, 'outside.sh')], {
      cwd: sandbox.project,
      env: sandbox.env,
    });
    const refused = 'PermissionError: [Errno 13] Permission denied';
    expect(result.stdout.trim().split('\n')).toEqual([
      'from the outside',
      'from the outside',
      refused,
      refused,
      'from the outside',
      'from the outside',
      '403',
    ]);
    const network = [...readRecords(sandbox.layout.audit)].flat().filter(({ action }) => action === 'network');
    const told = (verdict: string, destination: string, port: number): number =>
      network.filter((r) => r.verdict === verdict && r['destination'] === destination && r['port'] === port).length;
    expect(told('allow', '10.99.0.1', 8080)).toBeGreaterThan(0);
    expect(told('allow', 'fd99::1', 8080)).toBeGreaterThan(0);
    expect(told('deny', '10.99.0.1', 8081)).toBeGreaterThan(0);
    expect(told('deny', '10.98.0.1', 8080)).toBeGreaterThan(0);
  });
});
