import type { Socket } from 'node:net';
import { connect, type SecureContext, TLSSocket } from 'node:tls';
import { formatAddress } from '../../core/egress/address.ts';
import type { Host } from '../../core/egress/host-name.ts';
import { ClientGone, timedOut, Untrusted } from './outcome.ts';

/** What a run's inspected connections speak TLS with. */
export type RunTls = {
  /** With a certificate for the host by the authority that the run's programs trust; undefined when that is gone. */
  contextFor(host: Host): SecureContext | undefined;
  /** Whom the run trusts outside. */
  trusted(): SecureContext;
};

/** `refused`: the client does not trust the certificate; `failed`: it spoke no TLS that serves; `gone`: it has left. */
export type Handshake = { ok: true; socket: TLSSocket } | { ok: false; why: 'refused' | 'failed' | 'gone' };

/** The server's side of TLS on the client's connection, in place of the host. What the socket has given back (`unshift`) comes first. */
export function answerTls(client: Socket, context: SecureContext, timeoutMs: number): Promise<Handshake> {
  return new Promise((resolve) => {
    const socket = new TLSSocket(client, {
      isServer: true,
      secureContext: context,
      ALPNProtocols: ['http/1.1'],
      requestCert: false,
      rejectUnauthorized: false,
    });
    const late = setTimeout(() => socket.destroy(), timeoutMs);
    const settle = (handshake: Handshake) => {
      clearTimeout(late);
      if (!handshake.ok) socket.destroy();
      resolve(handshake);
    };
    // The socket of a server keeps its own errors, before and after the handshake, for the server that it has none of.
    socket.on('_tlsError', (error: NodeJS.ErrnoException) => {
      settle({ ok: false, why: whyOf(error) });
      socket.destroy();
    });
    socket.on('error', () => socket.destroy());
    socket.once('secure', () => settle({ ok: true, socket }));
    socket.once('close', () => settle({ ok: false, why: 'gone' }));
  });
}

/** Makes TLS of a connection to the host: its certificate verifies and is the host's, or the promise rejects, as it does when the client leaves. */
export function askTls(
  host: Host,
  context: SecureContext,
  timeoutMs: number,
  client: Socket,
): (socket: Socket) => Promise<TLSSocket> {
  const name = host.kind === 'name' ? host.name : formatAddress(host.address);
  return (plain) =>
    new Promise((resolve, reject) => {
      const socket = connect({
        socket: plain,
        secureContext: context,
        host: name,
        ...(host.kind === 'name' && { servername: name }), // RFC 6066, 3: never an address
        ALPNProtocols: ['http/1.1'],
        rejectUnauthorized: true, // whatever the environment says
      });
      const late = setTimeout(() => socket.destroy(timedOut('no TLS in time')), timeoutMs);
      const leave = () => socket.destroy(new ClientGone());
      const settle = () => {
        clearTimeout(late);
        client.off('close', leave);
      };
      socket.once('error', (error) =>
        reject(socket.authorizationError ? new Untrusted(error.message) : new Error('no TLS', { cause: error })),
      );
      socket.once('close', () => {
        settle();
        plain.destroy();
        reject(new Error('closed'));
      });
      socket.once('secureConnect', () => {
        settle();
        if (!socket.authorized) return void socket.destroy(new Untrusted('not authorized'));
        resolve(socket);
      });
      if (client.destroyed) leave();
      else client.once('close', leave);
    });
}

function whyOf({ code }: NodeJS.ErrnoException): 'refused' | 'failed' | 'gone' {
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'gone';
  return CERTIFICATE_ALERTS.test(code ?? '') ? 'refused' : 'failed';
}

/** Alerts by which clients say that they do not take the certificate (RFC 8446, 6.2), in OpenSSL's words. */
const CERTIFICATE_ALERTS =
  /ALERT_(?:UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_UNKNOWN|UNSUPPORTED_CERTIFICATE|ACCESS_DENIED)/;
