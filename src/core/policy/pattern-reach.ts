import { HOLDS, type PatternGraph, SLASH } from './pattern-graph.ts';

/** What can still be accepted from a node on, as far as leaving nodes out of consideration needs it. */
export type Reach = {
  /** The one class of all rules within reach; NO_CLASS for none, MIXED for several. */
  ruleClass: Int32Array;
  /** The lowest rule within reach. */
  lowest: Int32Array;
  /** Whether something within reach lies behind a slash. */
  slash: Uint8Array;
};

export const NO_CLASS = -2;
export const MIXED = -1;

/** Most nodes have lower numbers than what they lead to, so passes from the end settle after two or three. */
export function patternReach(graph: PatternGraph, classOf: Int32Array): Reach {
  const reach: Reach = {
    ruleClass: new Int32Array(graph.size).fill(NO_CLASS),
    lowest: new Int32Array(graph.size).fill(0x7fffffff),
    slash: new Uint8Array(graph.size),
  };
  graph.accepts.forEach((rules, node) => {
    for (const rule of rules ?? []) join(reach, node, classOf[rule]!, rule);
    if (rules && graph.holds[node] === HOLDS.forever) reach.slash[node] = 1;
  });
  for (let changed = true; changed; ) {
    changed = false;
    for (let node = graph.size - 1; node >= 0; node--) changed = gather(graph, reach, node) || changed;
  }
  return reach;
}

function gather(graph: PatternGraph, reach: Reach, node: number): boolean {
  let changed = false;
  for (let edge = graph.edgeHead[node]!; edge >= 0; edge = graph.edgeNext[edge]!) {
    changed = follow(reach, node, graph.edgeTarget[edge]!, graph.edgeByte[edge] === SLASH) || changed;
  }
  for (const { set, target } of graph.wide[node] ?? []) {
    changed = follow(reach, node, target, graph.sets.members[set]![SLASH] === 1) || changed;
  }
  if (graph.skip[node]! >= 0) changed = follow(reach, node, graph.skip[node]!, false) || changed;
  return changed;
}

function follow(reach: Reach, node: number, target: number, slash: boolean): boolean {
  let changed = join(reach, node, reach.ruleClass[target]!, reach.lowest[target]!);
  if ((slash || reach.slash[target]) && !reach.slash[node]) {
    reach.slash[node] = 1;
    changed = true;
  }
  return changed;
}

function join(reach: Reach, node: number, ruleClass: number, lowest: number): boolean {
  if (ruleClass === NO_CLASS) return false;
  const own = reach.ruleClass[node]!;
  const joined = own === NO_CLASS || own === ruleClass ? ruleClass : MIXED;
  const lower = Math.min(lowest, reach.lowest[node]!);
  const changed = joined !== own || lower !== reach.lowest[node];
  reach.ruleClass[node] = joined;
  reach.lowest[node] = lower;
  return changed;
}
