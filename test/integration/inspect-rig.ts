import { writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { certificatesIn, trusting } from '../../src/adapters/inspection/authorities.ts';
import { RunAuthority } from '../../src/adapters/inspection/run-authority.ts';
import { startEgressWith } from '../../src/adapters/proxy/egress.ts';
import type { Connection, EgressDecision, EgressEvent } from '../../src/adapters/proxy/egress-event.ts';
import type { Limits } from '../../src/adapters/proxy/limits.ts';
import type { Host } from '../../src/core/egress/host-name.ts';
import { openTunnel } from './egress-rig.ts';

/** Which requests are allowed, as `METHOD /path-prefix`; of tunnels without a request nothing is known, and nothing is allowed. */
export type Requests = {
  allowed: string[];
  /** What is not allowed is refused by no rule. */
  byDefault?: boolean;
  injected?: { header: string; value: string; secret: string }[];
};

/** The egress with everything inspected, for runs r1 and r2, each with an authority of its own. */
export async function startInspectRig(directory: string, requests: Requests, limits: Partial<Limits> = {}) {
  const events: EgressEvent<Requests>[] = [];
  const authorities = new Map(['r1', 'r2'].map((run) => [run, new RunAuthority(run)]));
  const origins = new RunAuthority('the origins');
  const secrets = new Map<string, string>();
  const rig = {
    requests,
    simulate: false,
    trusts: [origins.certificate],
    announced: undefined as Connection | undefined,
  };
  const egress = await startEgressWith<Requests>({
    connection: async () => rig.announced ?? { run: 'r1', pid: 7, program: '/bin/agent', kind: 'proxy' },
    policyOf: () => ({ image: rig.requests, simulate: rig.simulate }),
    decide: ({ allowed, byDefault }, { name, request }) => {
      const path = Buffer.from(request?.path ?? '').toString();
      const isAllowed = request && allowed.some((one) => `${request.method} ${path}`.startsWith(one));
      // The bare address behind a name has to be named by a rule.
      const effect = (name === undefined && request) || isAllowed ? 'allow' : 'deny';
      if (effect === 'deny' && byDefault) return { effect, source: 'default', rule: null, pierced: null };
      return { effect, source: 'rule', rule: effect === 'allow' ? 1 : 2, pierced: null };
    },
    termsOf: () => ({ sni: 'match', inspect: true }),
    mayReach: () => true,
    tlsOf: (run) => {
      const authority = authorities.get(run);
      return (
        authority && {
          contextFor: (host) => authority.contextFor(subjectOf(host)),
          trusted: () => trusting(rig.trusts),
        }
      );
    },
    injectionsFor: ({ injected = [] }) => injected,
    secretOf: (run, name) => secrets.get(`${run} ${name}`),
    describeRule: (_image, rule) => ({ label: `test.yaml:${rule}`, reason: null }),
    record: async (event) => void events.push(event),
    resolve: async () => ['127.0.0.1'],
    limits,
  });
  const ca = join(directory, `ca-${egress.proxyPort}.pem`);
  writeFileSync(ca, authorities.get('r1')?.certificate ?? '');
  return Object.assign(rig, egress, {
    ...{ events, authorities, origins, secrets, ca },
    decisions: () => events.filter((event): event is EgressDecision<Requests> => event.kind === 'decision'),
    /** TLS within a tunnel, trusting the run's authority. */
    open: async (authority: string, options: ConnectionOptions = {}): Promise<TLSSocket> => {
      const socket = await openTunnel(egress.proxyPort, authority);
      const servername = authority.split(':')[0];
      const secure = connect({ socket, ca: certificatesIn(ca), ...(servername && { servername }), ...options });
      await new Promise<void>((resolve, reject) => secure.once('secureConnect', resolve).once('error', reject));
      return secure;
    },
  });
}

export type InspectRig = Awaited<ReturnType<typeof startInspectRig>>;

/** An HTTPS server with a certificate for whatever name is asked for. */
export async function startSecureOrigin(authority: RunAuthority, answer: RequestListener) {
  const origin = { impersonates: undefined as string | undefined };
  const server: Server = createServer(
    {
      SNICallback: (name, done) => done(null, authority.contextFor({ name: origin.impersonates ?? name })),
      ALPNProtocols: ['http/1.1'],
    },
    answer,
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return Object.assign(origin, { server, port: (server.address() as AddressInfo).port, close });
}

const subjectOf = (host: Host) => (host.kind === 'name' ? { name: host.name } : { address: host.address.subarray(12) });

/** Writes, and reads until the end or until `until` matches. */
export function ask(socket: TLSSocket, text: string, until?: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    const settle = () => {
      socket.destroy();
      resolve(said);
    };
    socket.setTimeout(10_000, () => reject(new Error(`no end after: ${said}`)));
    socket.on('data', (chunk) => {
      said += chunk.toString('latin1');
      if (until?.test(said)) settle();
    });
    for (const event of ['end', 'close', 'error']) socket.once(event, settle);
    socket.write(text);
  });
}
