import { type Address, facesOf, parseAddress } from '../egress/address.ts';
import { type HostName, parseHostName } from '../egress/host-name.ts';
import { canonicalRequestPath } from '../egress/request-path.ts';
import { decideHost, type HttpRequest } from '../engine/decide.ts';
import { spoken, type Word } from '../engine/egress-word.ts';
import type { PolicyImage } from '../engine/image.ts';
import { judgeAddress } from '../engine/judge-address.ts';
import { mayReach } from '../engine/may-reach.ts';
import { type Judgement, judgementOf, refusedFor, type Undecidable } from './judgement.ts';
import type { RecordedDecision } from './recorded.ts';

/** Connections: those that the supervisor judged by their address, and those that came through a door of the egress (adapters/proxy/gate.ts). */
export function judgeNetwork(image: PolicyImage, record: RecordedDecision, simulate: boolean): Judgement | Undecidable {
  const { destination, port, via } = record;
  if (destination === undefined) return { why: 'no-input' };
  if (via === 'dns') return judgeQuestion(image, destination);
  const address = parseAddress(destination);
  if (via === undefined) return judgeBare(image, address, port);
  if (port === undefined) return { why: 'no-input' };
  const asked = { port, request: requestOf(record) };
  if (address) return judgementOfWord(image, judgeAddress(judgeOf(record), image, undefined, address, asked));
  const name = parseHostName(destination);
  if (name === undefined) return { why: 'no-input' };
  const found = record.address === undefined ? undefined : parseAddress(record.address);
  if (record.known === 'sni' && via !== 'inspect')
    return found ? judgeCalled(image, name, found, port) : { why: 'no-input' };
  return judgeName(image, record, { name, address: found, asked, simulate });
}

/** The supervisor leaves out the port 0, which asks for any. */
function judgeBare(image: PolicyImage, address: Address | undefined, port = 0): Judgement | Undecidable {
  return address ? judgementOf(image, decideHost(image, { address, port })) : { why: 'no-input' };
}

/** A question for a name alone; one that is answered has no receipt. */
function judgeQuestion(image: PolicyImage, destination: string): Judgement {
  const name = parseHostName(destination);
  if (name === undefined) return refusedFor('default', 'no-host-name', true);
  const decision = decideHost(image, { name, port: 443 });
  const found = judgementOf(image, decision, decision.source === 'rule' ? undefined : 'no-rule');
  return { ...found, source: decision.source, lifted: true, effect: mayReach(image, name) ? 'allow' : 'deny' };
}

type Asked = { port: number; request: HttpRequest | undefined };

function judgeName(
  image: PolicyImage,
  record: RecordedDecision,
  { name, address, asked, simulate }: { name: HostName; address: Address | undefined; asked: Asked; simulate: boolean },
): Judgement {
  const named = judgementOfWord(image, spoken(decideHost(image, { name, ...asked })));
  // A name without an address keeps the word that was said of it. Where a name is refused only a simulated run looks it up.
  if (address === undefined && named.effect === 'allow')
    return { ...named, reasons: named.reasons.length > 0 ? named.reasons : ['unresolved'] };
  if (address === undefined) return simulate ? { ...named, reasons: [named.reasons[0] ?? '', 'unresolved'] } : named;
  if (named.effect !== 'allow') return named;
  return judgementOfWord(image, judgeAddress(judgeOf(record), image, name, address, asked));
}

/** A bare address by the name that TLS called it: only what speaks against the two together is on record. */
function judgeCalled(image: PolicyImage, name: HostName, address: Address, port: number): Judgement {
  const words = facesOf(address).map((face) => spoken(decideHost(image, { name, address: face, port })));
  return judgementOfWord(image, words.find(({ effect }) => effect !== 'allow') ?? words[0]!);
}

/** What the machine knew of the address is on record with the decision. */
function judgeOf({ reason, own }: RecordedDecision): Parameters<typeof judgeAddress<PolicyImage>>[0] {
  return { decide: decideHost, isOwnPort: () => reason === 'own-port', isOwnAddress: () => own === true };
}

function requestOf({ method, path, overridden }: RecordedDecision): HttpRequest | undefined {
  return method === undefined || overridden ? undefined : { method, path: canonicalRequestPath(path ?? '') };
}

/** The gate has put `ask` into its own words already. */
function judgementOfWord(image: PolicyImage, { effect, source, rule, pierced, reason, lifted }: Word): Judgement {
  const found = judgementOf(image, { effect, source, rule, pierced }, reason ?? undefined);
  return { ...found, effect: source === 'silence' ? 'ask' : found.effect, source, lifted };
}
