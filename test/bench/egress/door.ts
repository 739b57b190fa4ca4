/**
 * Gatekeeper's egress as the daemon has it, with a compiled policy and a signed log, in a process of its own. Supervisors are missing: the parent says
 * what the next connections are announced as.
 */
import { createHash } from 'node:crypto';
import type { EgressDoor } from '../../../src/adapters/proxy/egress.ts';
import type { Connection } from '../../../src/adapters/proxy/egress-event.ts';
import type { PolicyImage } from '../../../src/core/engine/image.ts';

// What is built: the translation that tests run with makes every closure dearer.
const built = new URL('../../../dist/', import.meta.url);
const { AuditLog }: typeof import('../../../src/adapters/audit-log/audit-log.ts') =
  await load('adapters/audit-log/audit-log');
const { verifyWith }: typeof import('../../../src/adapters/keys/public-key.ts') =
  await load('adapters/keys/public-key');
const { openSigningKey }: typeof import('../../../src/adapters/keys/signing-key.ts') =
  await load('adapters/keys/signing-key');
const { writeFileAtomic }: typeof import('../../../src/adapters/process/atomic-file.ts') =
  await load('adapters/process/atomic-file');
const { startEgress }: typeof import('../../../src/adapters/proxy/egress.ts') = await load('adapters/proxy/egress');
const { PolicyImage: Image }: typeof import('../../../src/core/engine/image.ts') = await load('core/engine/image');
const { compilePolicy }: typeof import('../../../src/core/policy/compile.ts') = await load('core/policy/compile');
const { egressRecord }: typeof import('../../../src/daemon/egress-record.ts') = await load('daemon/egress-record');

export type DoorPorts = { proxy: number; transparent: number };
/** What the parent may ask for; each message is answered once. */
export type DoorQuestion = { kind?: Connection['kind']; port?: number; memory?: true };
/** `cpu`: seconds of processor time so far. */
export type DoorAnswer = { rss: number; cpu: number };

const place = (path: string) => {
  const bytes = new TextEncoder().encode(path);
  return { lexical: bytes, real: bytes };
};
const ROOTS = { home: place('/home/bench'), workspace: place('/home/bench/project'), tmp: place('/tmp') };
const EMPTY = 'version: 1\nname: nothing\npolicies:\n  - action: unix_socket\n    rules: []\n';

/** A policy of so many destinations; those of the measurements are among them. */
export function imageOfDestinations(count: number): PolicyImage {
  const rules = Array.from({ length: count }, (_, at) => `{ destination: "${nameOf(at)}:443", effect: allow }`);
  rules.push('{ destination: ["b.test", "localhost"], effect: allow }');
  const text = `version: 1\nname: bench\npolicies:\n  - action: network\n    rules:\n      - ${rules.join('\n      - ')}\n`;
  const { image } = compilePolicy(
    [
      { name: 'builtin:protection', layer: 'protection', text: EMPTY },
      { name: 'builtin:guards', layer: 'guards', text: EMPTY },
      { name: 'user:bench.yaml', layer: 'user', text },
    ],
    ROOTS,
  );
  return Image.open(image, createHash('sha256').update(image).digest('hex'));
}

const nameOf = (at: number) => (at % 4 === 0 ? `*.zone-${at}.example` : `host-${at}.service-${at % 50}.example`);

if (process.argv[1] === import.meta.filename) {
  const [, , directory = '', destinations = '8'] = process.argv;
  const key = openSigningKey(directory);
  const log = await AuditLog.open({
    directory,
    signer: key,
    verify: verifyWith(key.publicKey),
    now,
    writeAtomic: writeFileAtomic,
  });
  const image = imageOfDestinations(Number(destinations));
  let announced: Connection = { run: 'bench', pid: 1, program: '/bench', kind: 'proxy', address: '127.0.0.1', port: 1 };
  const rule = (index: number) => image.rules[index];
  const door: EgressDoor = {
    connection: async () => announced,
    policyOf: () => ({ image, simulate: false }),
    record: async (event) => {
      const at = { time: now(), agent: 'bench', policy: `sha256:${image.digest}` };
      await log.append([egressRecord(event, at, rule)]);
    },
    resolve: async () => ['127.0.0.1'],
  };
  const { proxyPort, transparentPort } = await startEgress(door);
  process.on('message', ({ kind, port, memory }: DoorQuestion) => {
    announced = { ...announced, ...(kind && { kind }), ...(port && { port }) };
    if (memory) for (let round = 0; round < 3; round++) globalThis.gc?.();
    process.send?.({ rss: process.memoryUsage.rss(), cpu: cpuSeconds() } satisfies DoorAnswer);
  });
  process.on('disconnect', () => process.exit());
  process.send?.({ proxy: proxyPort, transparent: transparentPort } satisfies DoorPorts);
}

function load(name: string): Promise<never> {
  return import(new URL(`${name}.js`, built).href) as Promise<never>;
}

export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function now(): string {
  return new Date().toISOString();
}
