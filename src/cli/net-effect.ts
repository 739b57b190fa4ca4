import { addressFromBytes } from '../core/egress/address.ts';
import { parseHost } from '../core/egress/host-name.ts';
import { type Answer, type Asked, answer } from '../core/engine/answer.ts';
import { GatekeeperError } from '../core/errors/gatekeeper-error.ts';
import { HOST_KIND, parseDestination } from '../core/policy/destination.ts';
import { ownHome } from './home.ts';
import { howToAllow } from './how-to-allow.ts';
import { partialRule } from './partial-rule.ts';
import { type PolicyHere, placeOf, policyHere } from './policy-here.ts';

/** What holds for a destination in this directory, all layers together. */
export type NetEffect = {
  verdict: Answer['verdict'];
  /** The rule that says so, `user:policy.yaml:7`; null when the default does. */
  rule: string | null;
  pattern: string | null;
  reason: string | null;
  /** Where it stands, `file:line`. */
  place: string | null;
  /** What would allow it, when it is not allowed. */
  hint: string | null;
  /** A rule that lets only some requests through, where another one now lets all of them. */
  undone: string | null;
};

/**
 * What holds here for each destination, judged by a connection that it stands for. Not known (a text says why) while the policy, which other layers
 * are part of, cannot be read.
 */
export function netEffects(destinations: readonly string[]): Map<string, NetEffect> | string {
  let here: PolicyHere;
  try {
    here = policyHere({});
  } catch (error) {
    if (error instanceof GatekeeperError) return error.where ? `${error.what} (${error.where})` : error.what;
    throw error;
  }
  return new Map(destinations.map((destination) => [destination, effectOf(here, destination)]));
}

function effectOf(here: PolicyHere, destination: string): NetEffect {
  const asked = exampleOf(destination);
  const found = answer(here.image, asked);
  const { winner, verdict, defaultLabel } = found;
  return {
    verdict,
    rule: winner?.label ?? defaultLabel,
    pattern: winner?.pattern ?? null,
    reason: winner?.reason || null,
    place: (winner && placeOf(here, here.image.rules[winner.rule]!)) ?? null,
    undone: (verdict === 'allow' && limitOf(here, asked)) || null,
    hint: verdict === 'allow' ? null : (howToAllow(found, destination, ownHome().userPolicy) ?? null),
  };
}

function limitOf({ image }: PolicyHere, asked: Asked): string | undefined {
  if (asked.action !== 'network') return undefined;
  const name = asked.name === undefined ? undefined : parseHost(asked.name);
  const address = asked.address && addressFromBytes(asked.address);
  const host = name ?? (address && ({ kind: 'address', address } as const));
  return host && partialRule(image, host, asked.port);
}

/** One of the connections that a destination speaks of. */
function exampleOf(destination: string): Asked {
  const { kind, host, address, portLow } = parseDestination(destination);
  const port = portLow || HTTPS;
  switch (kind) {
    case HOST_KIND.range:
      return { action: 'network', address, port };
    case HOST_KIND.localhost:
      return { action: 'network', name: 'localhost', port };
    case HOST_KIND.name:
      return { action: 'network', name: host, port };
    default:
      return { action: 'network', name: kind === HOST_KIND.suffix ? `any.${host}` : 'any.example', port };
  }
}

const HTTPS = 443;
