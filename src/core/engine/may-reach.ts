import type { Address } from '../egress/address.ts';
import { classOf } from '../egress/address-class.ts';
import { type HostName, parseHostName } from '../egress/host-name.ts';
import { HOST_KIND } from '../policy/destination.ts';
import { RULE_FLAG } from '../policy/rule-table.ts';
import { EFFECT } from '../wire/messages.ts';
import { namesTarget } from './decide.ts';
import { candidatesFor } from './host-index.ts';
import type { HostView, PolicyImage } from './image.ts';
import { resolve } from './precedence.ts';

/**
 * Whether some connection to the name could be let through: on some port the policy allows it or asks about it, for every request or only for
 * those of certain methods and paths. It promises nothing about any one connection, and is false only where all of them are refused.
 */
export function mayReach(image: PolicyImage, name: string): boolean {
  const speaking = candidatesFor(image.hosts, { name }).filter((host) =>
    namesTarget(host, { name, port: 0 }, undefined),
  );
  return borders(speaking).some((port) => mayReachPort(image, speaking, port));
}

/**
 * Whether a name that no rule lets be reached may be reached all the same where its address is known, since a rule names that address or its range.
 * A name that rules speak of by itself, be it by a wildcard, is not led past what they say of it.
 */
export function mayReachAt(image: PolicyImage, name: string, address: Address): boolean {
  if (mayReach(image, name)) return false;
  const addressClass = classOf(address);
  const speaking = candidatesFor(image.hosts, { name, address }).filter((host) =>
    namesTarget(host, { name, address, port: 0 }, addressClass),
  );
  const loosens = ({ kind, rule }: HostView) =>
    kind === HOST_KIND.range && EFFECT[image.rules[rule]!.effect] <= EFFECT.ask;
  return speaking.some(loosens) && borders(speaking).some((port) => mayReachPort(image, speaking, port));
}

/** The first names, up to so many, that rules spell out in order to loosen and that may be reached; in the order of the image, each once. */
export function exactNames(image: PolicyImage, most: number): HostName[] {
  const found = new Set<HostName>();
  for (const { kind, host, rule } of image.hosts) {
    if (found.size >= most) break;
    if (kind !== HOST_KIND.name || EFFECT[image.rules[rule]!.effect] > EFFECT.ask) continue;
    // An image is made of what the one parser of names gave; anything else stands for nothing.
    const name = parseHostName(host);
    if (name !== undefined && !found.has(name) && mayReach(image, name)) found.add(name);
  }
  return [...found];
}

/** Ports at which what is said of the name may change; between two of them it is the same. */
function borders(hosts: readonly HostView[]): number[] {
  const ports = hosts.flatMap(({ portLow, portHigh }) => [portLow, portHigh + 1]);
  return [...new Set([1, ...ports])].filter((port) => port >= 1 && port <= 65_535);
}

function mayReachPort(image: PolicyImage, hosts: readonly HostView[], port: number): boolean {
  const rules = hosts
    .filter(({ portLow, portHigh }) => port >= portLow && port <= portHigh)
    .map(({ rule }) => rule)
    .filter((rule) => !mayStaySilent(image, rule));
  const { effect } = resolve(image, 'network', rules);
  return effect === 'allow' || effect === 'ask';
}

/** A stricter rule for certain requests leaves others alone; one that loosens is taken to speak of those that will be made. */
function mayStaySilent(image: PolicyImage, index: number): boolean {
  const { effect, flags } = image.rules[index]!;
  return EFFECT[effect] > EFFECT.ask && (flags & (RULE_FLAG.methods | RULE_FLAG.requestPaths)) !== 0;
}
