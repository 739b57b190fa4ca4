import type { SecureContext } from 'node:tls';
import {
  certificatesIn,
  isNewToNode,
  systemAuthorities,
  trusting,
  unique,
} from '../adapters/inspection/authorities.ts';
import { RunAuthority } from '../adapters/inspection/run-authority.ts';
import type { RunTls } from '../adapters/proxy/inspected-tls.ts';
import { addressBytes } from '../core/egress/address.ts';
import type { Host } from '../core/egress/host-name.ts';
import { inspectionVariables } from './inspection-variables.ts';
import { offer } from './offered-files.ts';

/**
 * What the daemon holds in memory for runs whose requests are looked into: their certificate authorities, whom they trust outside, and the secrets that
 * rules put into requests. Nothing of it but certificates is ever written; a daemon that comes back has none of it.
 */
export class Inspections {
  readonly #tls = new Map<string, RunTls>();
  readonly #secrets = new Map<string, ReadonlyMap<string, string>>();
  #system: Machine | undefined;

  /**
   * Makes the run's authority and the files by which its programs trust it.
   * @param caFiles the user's own files of authorities, which go on to be trusted
   * @returns variables by which programs find them
   */
  begin(run: string, offered: string, caFiles: readonly string[]): Record<string, string> {
    const authority = new RunAuthority(run);
    const system = this.#machine();
    const known = new Set(system.authorities);
    const named = unique(caFiles.flatMap(certificatesIn));
    const own = named.filter((certificate) => !known.has(certificate));
    // For Node, which takes this beside those that it brings along and never looks at the system's.
    offer(offered, 'ca.pem', Buffer.from([authority.certificate, ...named.filter(isNewToNode)].join('')));
    offer(offered, 'ca-bundle.pem', Buffer.from([authority.certificate, ...own, ...system.authorities].join('')));
    // Made when it is first wanted: it costs more than all the rest. Runs without authorities of their own share it.
    const trust: Trust =
      own.length === 0 ? system : { authorities: [...system.authorities, ...own], context: undefined };
    this.#tls.set(run, {
      contextFor: (host) => authority.contextFor(subjectOf(host)),
      trusted: () => {
        trust.context ??= trusting(trust.authorities);
        return trust.context;
      },
    });
    return inspectionVariables(offered);
  }

  /** Undefined for a run that never had an authority, or had it from an earlier daemon. */
  tlsOf(run: string): RunTls | undefined {
    return this.#tls.get(run);
  }

  giveSecrets(run: string, secrets: Readonly<Record<string, string>>): void {
    this.#secrets.set(run, new Map([...(this.#secrets.get(run) ?? []), ...Object.entries(secrets)]));
  }

  secretOf(run: string, name: string): string | undefined {
    return this.#secrets.get(run)?.get(name);
  }

  /** The run is over. */
  forget(run: string): void {
    this.#tls.delete(run);
    this.#secrets.delete(run);
  }

  /** Read again after a while: machines get new authorities, and lose some. */
  #machine(): Machine {
    if (this.#system === undefined || this.#system.until < performance.now()) {
      this.#system = { authorities: systemAuthorities(), context: undefined, until: performance.now() + SYSTEM_MS };
    }
    return this.#system;
  }
}

/** Whom this machine trusts, and until when that is believed. */
type Machine = Trust & { until: number };
type Trust = { authorities: readonly string[]; context: SecureContext | undefined };

const subjectOf = (host: Host) =>
  host.kind === 'name' ? { name: host.name } : { address: addressBytes(host.address) };

const SYSTEM_MS = 10 * 60 * 1000;
