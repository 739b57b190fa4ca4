import type { PatternGraph } from './pattern-graph.ts';

/** Bytes that no edge of the graph tells apart share a class. Classes are ranges, numbered upwards. */
export function byteClasses(graph: PatternGraph): { classOf: Uint8Array; classCount: number } {
  const cut = new Uint8Array(257);
  for (const byte of graph.edgeByte) {
    cut[byte] = 1;
    cut[byte + 1] = 1;
  }
  for (const members of graph.sets.members) {
    for (let byte = 1; byte < 256; byte++) if (members[byte] !== members[byte - 1]) cut[byte] = 1;
  }
  const classOf = new Uint8Array(256);
  let current = 0;
  for (let byte = 1; byte < 256; byte++) {
    if (cut[byte]) current++;
    classOf[byte] = current;
  }
  return { classOf, classCount: current + 1 };
}
