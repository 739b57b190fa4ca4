import type { EgressTerms } from '../egress/terms.ts';
import { EFFECT } from '../wire/messages.ts';
import { decidePath, type HostRequest } from './decide.ts';
import { egressTermsFor, injectionsFor, mayInspect, rulesForSome } from './egress-terms.ts';
import { type Explanation, explain, explainMatches } from './explain.ts';
import type { PolicyImage } from './image.ts';

/** What a person asks about, in the terms in which it would be judged. */
export type Asked =
  | { action: 'file_read' | 'file_write' | 'file_delete' | 'unix_socket'; path: string }
  /** `program` is the file itself, `alias` the link that leads to it when there is one. */
  | { action: 'shell_exec'; program: string; alias: string | undefined; words: readonly string[] }
  /** `tls`: the request is in a tunnel, and seen only where that is inspected. */
  | ({ action: 'network'; url?: string; tls?: boolean } & HostRequest);

export type Answer = Explanation & {
  /** The effect in the end: a launcher is allowed where no rule speaks of it. */
  verdict: 'allow' | 'ask' | 'deny';
  launcher: boolean;
  /** Of network: how the connection is looked at. */
  connection?: ConnectionAccount;
};

export type ConnectionAccount = EgressTerms & {
  /** What was asked about is not all requests alike: it is opened, and each of them decided. */
  someRequests: boolean;
  /** Headers that go into the request, or may go into one, and the variables that hold their secrets. */
  injected: readonly { header: string; secret: string }[];
};

/** What the supervisor, or the daemon for names, would say. */
export function answer(image: PolicyImage, asked: Asked): Answer {
  if (asked.action === 'network') return answerNetwork(image, asked);
  if (asked.action !== 'shell_exec') {
    return conclude(explain(image, { action: asked.action, path: bytes(asked.path) }), false);
  }
  return answerCommand(image, asked);
}

function answerNetwork(image: PolicyImage, asked: Extract<Asked, { action: 'network' }>): Answer {
  const { name, address, port, request, tls = false } = asked;
  const endpoint = { port, ...(name === undefined ? {} : { name }), ...(address === undefined ? {} : { address }) };
  const terms = egressTermsFor(image, endpoint);
  const seen = tls && !terms.inspect ? undefined : request;
  const whole = conclude(explain(image, { action: 'network', ...endpoint, request: seen }), false);
  const someRequests = seen === undefined && whole.verdict !== 'allow' && mayInspect(image, endpoint);
  const possible = rulesForSome(image, endpoint);
  const found = someRequests ? conclude(explainMatches(image, 'network', possible), false) : whole;
  const injections = !terms.inspect
    ? []
    : seen
      ? injectionsFor(image, { ...endpoint, request: seen })
      : possible.flatMap((rule) => image.rules[rule]!.terms.injections);
  const injected = injections.map(({ header, secret }) => ({ header, secret }));
  return { ...found, connection: { ...terms, someRequests, injected } };
}

/** A command is judged by the file's own name, and by that of the link through which it is called (python3 for python3.11). */
function answerCommand(image: PolicyImage, asked: Extract<Asked, { action: 'shell_exec' }>): Answer {
  const words = asked.words.map(bytes);
  const ask = (path: string): Explanation => {
    const writablePlace = [asked.program, path].some((place) => isWritable(image, place));
    return explain(image, { action: 'shell_exec', path: bytes(path), words, writablePlace });
  };
  const own = ask(asked.program);
  const both = asked.alias === undefined ? own : stricterRule(own, ask(asked.alias));
  const names = [asked.program, asked.alias ?? asked.program].filter((path) => !isWritable(image, path));
  const launcher = names.some((path) => image.launchers.has(path.slice(path.lastIndexOf('/') + 1)));
  return conclude(both, launcher);
}

/** A rule goes before the default, the stricter rule before the other. */
function stricterRule(one: Explanation, other: Explanation): Explanation {
  if (other.source === 'default') return one;
  return one.source === 'default' || EFFECT[other.effect] > EFFECT[one.effect] ? other : one;
}

function conclude(explanation: Explanation, launcher: boolean): Answer {
  const { effect, source } = explanation;
  if (launcher && source === 'default') return { ...explanation, launcher, verdict: 'allow' };
  // A private copy cannot be offered yet, so shadow denies.
  return { ...explanation, launcher, verdict: effect === 'shadow' ? 'deny' : effect };
}

const isWritable = (image: PolicyImage, path: string): boolean =>
  decidePath(image, 'file_write', bytes(path)).effect === 'allow';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
