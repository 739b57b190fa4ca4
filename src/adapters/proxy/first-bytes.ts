import type { Socket } from 'node:net';
import { sameHost } from '../../core/egress/authority.ts';
import { type ClientHello, HelloReader } from '../../core/egress/client-hello.ts';
import { type Host, type HostName, parseHost, parseHostName } from '../../core/egress/host-name.ts';
import type { EgressReason } from '../../core/egress/reason.ts';
import type { EgressTerms } from '../../core/egress/terms.ts';

/**
 * How a client began. `foreign`: with another protocol than TLS. `malformed`: with TLS that cannot be read in one way, or that stays incomplete. `ended`: it
 * sent less than a hello and will send no more. `silent`: nothing came while it was waited for. `gone`: the connection is no more.
 */
export type FirstBytes =
  /** `end`: where the hello ends in the bytes. */
  | { kind: 'hello'; hello: ClientHello; bytes: Uint8Array; end: number }
  | { kind: 'foreign' | 'malformed' | 'ended' | 'silent' | 'gone'; bytes: Uint8Array };

export type AwaitedBytes = {
  /** Never rejects. From then on the client is paused, and what it sent is in `bytes`. */
  found: Promise<FirstBytes>;
  /** From now on the first byte is waited for no longer than this. */
  expectWithin(ms: number): void;
  /** Leaves the client alone; it counts as gone. */
  stop(): void;
};

/** Reads from the client until it is known how it begins; bounded in bytes, and in time once the first ones are there. */
export function awaitFirstBytes(client: Socket, head: Uint8Array, helloMs: number): AwaitedBytes {
  const reader = new HelloReader();
  const held: Uint8Array[] = [];
  let timer: NodeJS.Timeout | undefined;
  let isOpen = true;
  let settle: (how: Exclude<FirstBytes['kind'], 'hello'> | ClientHello) => void = () => undefined;
  const within = (ms: number, how: 'silent' | 'malformed') => {
    clearTimeout(timer);
    timer = setTimeout(() => settle(how), ms);
  };
  const take = (chunk: Uint8Array) => {
    held.push(chunk);
    const progress = reader.push(chunk);
    if (progress.kind !== 'more') settle(progress.kind === 'hello' ? progress.hello : progress.kind);
    else if (held.length === 1) within(helloMs, 'malformed');
  };
  const ended = () => settle('ended');
  const gone = () => settle('gone');

  const found = new Promise<FirstBytes>((resolve) => {
    settle = (how) => {
      settle = () => undefined;
      isOpen = false;
      clearTimeout(timer);
      client.off('data', take).off('end', ended).off('close', gone).pause();
      const bytes = held.length === 1 && held[0] ? held[0] : Buffer.concat(held);
      resolve(
        typeof how === 'string' ? { kind: how, bytes } : { kind: 'hello', hello: how, bytes, end: reader.consumed },
      );
    };
    client.on('data', take).once('end', ended).once('close', gone);
    if (head.length > 0) take(head);
    if (client.destroyed) gone();
    else if (client.readableEnded) ended();
    else if (isOpen) client.resume();
  });
  return {
    found,
    expectWithin: (ms) => {
      if (isOpen && held.length === 0) within(ms, 'silent');
    },
    stop: gone,
  };
}

/** What the client sends next; undefined when it has ended or gone. Afterwards it is paused. */
export function nextBytes(client: Socket): Promise<Uint8Array | undefined> {
  return new Promise((resolve) => {
    if (client.destroyed || client.readableEnded) return resolve(undefined);
    const settle = (chunk: Uint8Array | undefined) => {
      client.off('data', settle).off('end', over).off('close', over).pause();
      resolve(chunk);
    };
    const over = () => settle(undefined);
    client.on('data', settle).once('end', over).once('close', over).resume();
  });
}

/** What speaks against first bytes for a tunnel to the host. A name for a bare address does not: it has to be judged. */
export function contradiction(found: FirstBytes, host: Host, sni: EgressTerms['sni']): EgressReason | undefined {
  if (sni === 'any') return undefined;
  const isRequired = sni === 'required';
  if (found.kind !== 'hello') return isRequired || found.kind === 'malformed' ? 'sni-missing' : undefined;
  const { serverName } = found.hello;
  if (serverName === undefined) return isRequired && host.kind === 'name' ? 'sni-missing' : undefined;
  const called = parseHost(serverName);
  if (called && sameHost(called, host)) return undefined;
  return host.kind === 'address' && called?.kind === 'name' ? undefined : 'sni-mismatch';
}

/** The name of a host that is in them. */
export function nameIn(found: FirstBytes): HostName | undefined {
  return found.kind === 'hello' ? parseHostName(found.hello.serverName ?? '') : undefined;
}
