import { type Address, facesOf } from '../egress/address.ts';
import { type EgressTerms, usualTerms } from '../egress/terms.ts';
import { INSPECT, type Injection, SNI, type SniTerm, saysNothing, UNSAID } from '../policy/connection-terms.ts';
import { RULE_FLAG } from '../policy/rule-table.ts';
import { type HostRequest, matchEndpoint, matchHost } from './decide.ts';
import { isGrant } from './grants.ts';
import type { PolicyImage, RuleView } from './image.ts';
import { isPierced, resolve } from './precedence.ts';

/** A destination before anything has been asked there. */
export type Endpoint = Omit<HostRequest, 'request'>;

/**
 * The terms of a connection: of all rules that allow it, or ask, and say something, the strictest, each term by itself. An override takes out of
 * play what stricter terms the files say that it pierces, as it does with stricter effects. Where nobody says anything, TLS is required to name the
 * host on port 443 and must not name another one elsewhere, and nothing is inspected.
 */
export function egressTermsFor(image: PolicyImage, endpoint: Endpoint): EgressTerms {
  const speaking = termsInPlay(image, endpoint);
  const inspect = strictestTerm(image, speaking, ({ terms }) =>
    terms.inspect === undefined ? UNSAID : terms.inspect ? INSPECT.yes : INSPECT.no,
  );
  const sni = strictestTerm(image, speaking, ({ terms }) => (terms.sni === undefined ? UNSAID : SNI[terms.sni]));
  return { sni: SNI_OF[sni] ?? usualTerms(endpoint.port).sni, inspect: inspect === INSPECT.yes };
}

/**
 * Whether requests are looked into there and one of them could pass; each is decided by itself. The supervisor, which passes on what it may not judge,
 * knows of no exceptions from inspection and says so of more.
 */
export function mayInspect(image: PolicyImage, endpoint: Endpoint): boolean {
  if (!egressTermsFor(image, endpoint).inspect) return false;
  const { effect } = resolve(image, 'network', rulesForSome(image, endpoint));
  return effect === 'allow' || effect === 'ask';
}

/** The rules that speak of a request which is made to pass: stricter rules for others stay silent. Sorted. */
export function rulesForSome(image: PolicyImage, endpoint: Endpoint): number[] {
  return matchFaces(image, endpoint).filter((rule) => couldSpeak(image.rules[rule]!));
}

/**
 * The headers that go into a request which was allowed: those of every rule that allows it, or that asked before it was granted. Of two for the same
 * header the rule with the lower index speaks. None where an exception keeps the connection from being inspected.
 */
export function injectionsFor(image: PolicyImage, request: HostRequest): Injection[] {
  const byHeader = new Map<string, Injection>();
  if (!egressTermsFor(image, request).inspect) return [];
  const matching = [...new Set(matchHost(image, request))].sort((a, b) => a - b);
  const { effect, rule: winner } = resolve(image, 'network', matching);
  if (effect !== 'allow' || winner === null) return [];
  for (const index of matching) {
    const rule = image.rules[index]!;
    if (rule.effect !== 'allow' && !(rule.effect === 'ask' && isGrant(image, winner))) continue;
    for (const injection of rule.terms.injections)
      if (!byHeader.has(injection.header)) byHeader.set(injection.header, injection);
  }
  return [...byHeader.values()];
}

/** The variables that hold the secrets of all rules, by name. */
export function secretsOf(image: PolicyImage): string[] {
  const names = image.rules.flatMap(({ terms }) => terms.injections.map(({ secret }) => secret));
  return [...new Set(names)].sort();
}

/** The same, each with what messages call the first rule that wants it. */
export function secretsWithRules(image: PolicyImage): { name: string; rule: string }[] {
  const ruleOf = (name: string) =>
    image.rules.find(({ terms }) => terms.injections.some(({ secret }) => secret === name));
  return secretsOf(image).map((name) => ({ name, rule: ruleOf(name)?.label ?? '' }));
}

/** Whether a run under this policy has anything inspected. */
export function inspectsAnything(image: PolicyImage): boolean {
  return image.rules.some(({ terms }) => terms.inspect === true);
}

type Term = (rule: RuleView) => number;

/** Rules that could let something pass and are not pierced for every connection, sorted. */
function termsInPlay(image: PolicyImage, endpoint: Endpoint): number[] {
  if (!saysTerms(image)) return [];
  const matching = matchFaces(image, endpoint);
  const always = matching.filter((rule) => !speaksOfSome(image.rules[rule]!));
  return matching.filter((rule) => couldSpeak(image.rules[rule]!) && !isPierced(image, rule, always));
}

/** An address that carries another leads to it as well, and what is said of either holds. Sorted. */
function matchFaces(image: PolicyImage, { address, ...rest }: Endpoint): number[] {
  const faces = address ? facesOf(address as Address).map((face) => ({ ...rest, address: face })) : [rest];
  return [...new Set(faces.flatMap((face) => matchEndpoint(image, face)))].sort((a, b) => a - b);
}

function strictestTerm(image: PolicyImage, rules: readonly number[], term: Term): number {
  const numbers = rules.filter((rule) => !rules.some((other) => piercesTerm(image, other, rule, term)));
  return Math.max(UNSAID, ...numbers.map((rule) => term(image.rules[rule]!)));
}

/** Requests differ, and a connection carries many: an exception for some of them takes no term of the connection away. */
function piercesTerm(image: PolicyImage, one: number, other: number, term: Term): boolean {
  const [strong, weak] = [image.rules[one]!, image.rules[other]!];
  if ((strong.flags & RULE_FLAG.override) === 0 || strong.effect !== 'allow' || speaksOfSome(strong)) return false;
  if (term(strong) === UNSAID || term(strong) >= term(weak)) return false;
  return ((image.files[strong.file]!.pierces >> BigInt(weak.file)) & 1n) === 1n;
}

const speaksOfSome = ({ flags }: RuleView): boolean => (flags & (RULE_FLAG.methods | RULE_FLAG.requestPaths)) !== 0;

/** Of the requests that could be made: one that every rule speaks of which lets it pass, and no other. */
const couldSpeak = (rule: RuleView): boolean => !speaksOfSome(rule) || rule.effect === 'allow' || rule.effect === 'ask';

/** Most policies say nothing, and are asked for every connection. */
const SAYING = new WeakMap<PolicyImage, boolean>();
function saysTerms(image: PolicyImage): boolean {
  let says = SAYING.get(image);
  if (says === undefined) {
    says = image.rules.some(({ terms }) => !saysNothing(terms));
    SAYING.set(image, says);
  }
  return says;
}

const SNI_OF: Readonly<Record<number, SniTerm>> = { 1: 'any', 2: 'match', 3: 'required' };
