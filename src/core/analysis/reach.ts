import { decideHost, type PathAction } from '../engine/decide.ts';
import type { PolicyImage } from '../engine/image.ts';
import type { Decision } from '../engine/precedence.ts';
import { MOST_NODES } from './differences.ts';
import { commandGrammar, pathGrammar } from './grammar.ts';
import { representativeRequests } from './requests.ts';
import { requestText } from './subject-text.ts';
import { commandReader, guessingReader, pathReader } from './verdicts.ts';
import { NO_MARK, Walk } from './walk.ts';

/** What the rules of an action do over all subjects: which of them decide, and which override pierces which rule, each with a shortest subject. */
export type Reach = {
  deciding: Map<number, Uint8Array>;
  piercing: Map<string, { rule: number; pierced: number; subject: Uint8Array }>;
};

/** Null when the patterns together are too many to walk through. */
export function reachOfPaths(image: PolicyImage, action: PathAction): Reach | null {
  const reader = pathReader(image, action);
  const walk = new Walk(reader.tracks, pathGrammar(), NO_MARK, MOST_NODES);
  const reach = new Collector();
  const complete = walk.run(({ node, accepts }) => {
    reach.add(reader.read(accepts, 0, 0), () => walk.text(node, 0));
    return undefined;
  });
  return complete ? reach : null;
}

/** Any program may lie where the run can write it, so that a rule is found idle only if it is so everywhere. */
export function reachOfCommands(image: PolicyImage): Reach | null {
  const reader = commandReader(image);
  const program = guessingReader(image);
  const first = reader.tracks.length;
  const seal = (accepts: Int32Array): readonly number[] => program.marks(accepts, first);
  const walk = new Walk([...reader.tracks, ...program.tracks], commandGrammar(), seal, MOST_NODES);
  const reach = new Collector();
  const complete = walk.run(({ node, accepts, mark }) => {
    reach.add(reader.read(accepts, 0, mark), () => walk.text(node, 0));
    return undefined;
  });
  return complete ? reach : null;
}

export function reachOfNetwork(image: PolicyImage): Reach | null {
  const reach = new Collector();
  const requests = representativeRequests([image]);
  for (const request of requests ?? []) {
    reach.add(decideHost(image, request), () => new TextEncoder().encode(requestText(request)));
  }
  return requests && reach;
}

class Collector implements Reach {
  readonly deciding: Reach['deciding'] = new Map();
  readonly piercing: Reach['piercing'] = new Map();

  add({ rule, pierced }: Decision, subject: () => Uint8Array): void {
    if (rule === null) return;
    if (!this.deciding.has(rule)) this.deciding.set(rule, subject());
    if (pierced === null) return;
    const key = `${rule} ${pierced}`;
    if (!this.piercing.has(key)) this.piercing.set(key, { rule, pierced, subject: subject() });
  }
}
