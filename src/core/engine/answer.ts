import { EFFECT } from '../wire/messages.ts';
import { decidePath, type HostRequest } from './decide.ts';
import { type Explanation, explain } from './explain.ts';
import type { PolicyImage } from './image.ts';

/** What a person asks about, in the terms in which it would be judged. */
export type Asked =
  | { action: 'file_read' | 'file_write' | 'file_delete' | 'unix_socket'; path: string }
  /** `program` is the file itself, `alias` the link that leads to it when there is one. */
  | { action: 'shell_exec'; program: string; alias: string | undefined; words: readonly string[] }
  | ({ action: 'network'; url?: string } & HostRequest);

export type Answer = Explanation & {
  /** The effect in the end: a launcher is allowed where no rule speaks of it. */
  verdict: 'allow' | 'ask' | 'deny';
  launcher: boolean;
};

/** What the supervisor, or the daemon for names, would say. */
export function answer(image: PolicyImage, asked: Asked): Answer {
  if (asked.action === 'network') return conclude(explain(image, asked), false);
  if (asked.action !== 'shell_exec') {
    return conclude(explain(image, { action: asked.action, path: bytes(asked.path) }), false);
  }
  return answerCommand(image, asked);
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
