import { generateKeyPairSync } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { authorityCertificate, hostCertificate, type Issuer, pem, type Subject } from './certificate.ts';

/**
 * The certificate authority of one run, which nothing but the programs of that run trust. Its key is in this object and nowhere else: it is
 * never written, and it is gone with the run or with the daemon.
 */
export class RunAuthority {
  /** What its programs are to trust, as PEM. */
  readonly certificate: string;
  readonly #issuer: Issuer;
  readonly #host = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  readonly #contexts = new Map<string, { context: SecureContext; until: number }>();
  readonly #now: () => number;
  readonly #mostHosts: number;

  constructor(run: string, { now = Date.now, mostHosts = 128 } = {}) {
    this.#now = now;
    this.#mostHosts = mostHosts;
    this.#issuer = { name: `gatekeeper run ${run}`, ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) };
    this.certificate = pem(authorityCertificate(this.#issuer, this.#validity(AUTHORITY_MS)));
  }

  /** For the server side of TLS with the host; the certificate is made once and kept for a while. */
  contextFor(subject: Subject): SecureContext {
    const key = 'name' in subject ? subject.name : Buffer.from(subject.address).toString('hex');
    const known = this.#contexts.get(key);
    this.#contexts.delete(key);
    const entry = known && known.until > this.#now() ? known : this.#make(subject);
    this.#contexts.set(key, entry); // at the end of the row: the one that was not wanted for longest goes first
    if (this.#contexts.size > this.#mostHosts) this.#contexts.delete(this.#contexts.keys().next().value!);
    return entry.context;
  }

  #make(subject: Subject): { context: SecureContext; until: number } {
    const certificate = hostCertificate(this.#issuer, this.#validity(HOST_MS), subject, this.#host.publicKey);
    const key = this.#host.privateKey.export({ type: 'pkcs8', format: 'pem' });
    const context = createSecureContext({ key, cert: pem(certificate), minVersion: 'TLSv1.2' });
    return { context, until: this.#now() + HOST_MS / 2 };
  }

  /** From an hour ago on, for clocks that were set back meanwhile. */
  #validity(forMs: number) {
    const now = this.#now();
    return { from: new Date(now - HOUR_MS), until: new Date(now + forMs) };
  }
}

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
/** Longer than runs go on; what bounds its life is that the key is in memory alone. */
const AUTHORITY_MS = 365 * DAY_MS;
const HOST_MS = 7 * DAY_MS;
