import { decideHost, type PathAction } from '../engine/decide.ts';
import type { PolicyImage } from '../engine/image.ts';
import type { Decision } from '../engine/precedence.ts';
import { AUTOMATON_KIND } from '../policy/image-layout.ts';
import type { RuleEntry } from '../policy/rule-table.ts';
import type { ActionName } from '../wire/messages.ts';
import { MOST_NODES } from './differences.ts';
import { commandGrammar, pathGrammar } from './grammar.ts';
import { representativeRequests } from './requests.ts';
import { requestText } from './subject-text.ts';
import { automataOf, commandReader, guessingReader, pathReader } from './verdicts.ts';
import { NO_MARK, type Track, Walk } from './walk.ts';

/** A shortest subject that the rule's own pattern takes, and what all rules together say of it. Null when no subject exists. */
export function matchOfRule(
  image: PolicyImage,
  rule: RuleEntry,
  action: ActionName,
): { subject: Uint8Array; decision: Decision } | null {
  if (action === 'network') return matchOfNetwork(image, rule);
  return action === 'shell_exec' ? matchOfCommand(image, rule) : matchOfPath(image, rule, action as PathAction);
}

function matchOfPath(image: PolicyImage, rule: RuleEntry, action: PathAction): ReturnType<typeof matchOfRule> {
  const reader = pathReader(image, action);
  const own = ownTracks(rule);
  const walk = new Walk([...reader.tracks, ...own], pathGrammar(), NO_MARK, MOST_NODES);
  let found: ReturnType<typeof matchOfRule> = null;
  walk.run(({ node, accepts }) => {
    if (!accepts.subarray(reader.tracks.length).some((accept) => accept > 0)) return undefined;
    found = { subject: walk.text(node, 0), decision: reader.read(accepts, 0, 0) };
    return false;
  });
  return found;
}

function matchOfCommand(image: PolicyImage, rule: RuleEntry): ReturnType<typeof matchOfRule> {
  const reader = commandReader(image);
  const program = guessingReader(image);
  const own = ownTracks(rule);
  const first = reader.tracks.length;
  const seal = (accepts: Int32Array): readonly number[] => program.marks(accepts, first + own.length);
  const walk = new Walk([...reader.tracks, ...own, ...program.tracks], commandGrammar(), seal, MOST_NODES);
  let found: ReturnType<typeof matchOfRule> = null;
  walk.run(({ node, accepts, mark }) => {
    if (!accepts.subarray(first, first + own.length).some((accept) => accept > 0)) return undefined;
    found = { subject: walk.text(node, 0), decision: reader.read(accepts, 0, mark) };
    return false;
  });
  return found;
}

function matchOfNetwork(image: PolicyImage, rule: RuleEntry): ReturnType<typeof matchOfRule> {
  const index = image.rules.findIndex(
    ({ label, pattern, action }) => action === 'network' && label === rule.label && pattern === rule.pattern,
  );
  const own = { ...image, hosts: image.hosts.filter((host) => host.rule === index) };
  for (const request of representativeRequests([image]) ?? []) {
    if (decideHost(own, request).rule !== index) continue;
    return { subject: new TextEncoder().encode(requestText(request)), decision: decideHost(image, request) };
  }
  return null;
}

function ownTracks(rule: RuleEntry): Track[] {
  return Object.values(AUTOMATON_KIND).flatMap((kind) => {
    const patterns = rule.rows.filter((row) => row.kind === kind).map(({ tokens }) => ({ tokens, rule: 0 }));
    if (patterns.length === 0) return [];
    const lane = kind === AUTOMATON_KIND.commandBase ? 1 : 0;
    return automataOf(patterns).automata.map((automaton) => ({ automaton, lane }));
  });
}
