import type { Placed } from './document.ts';
import type { LayeredFile } from './layers.ts';
import type { PatternProblem } from './pattern-problem.ts';
import type { PolicyProblem } from './policy-error.ts';

/** What is wrong with a pattern, at its place in the file. */
export function problemOf(error: PatternProblem, file: LayeredFile, key: string, subject: Placed): PolicyProblem {
  const inset = subject.inset >= 0 && error.index >= 0 ? subject.inset + error.index : 0;
  return {
    file: file.source.path ?? file.source.name,
    line: subject.line,
    column: subject.column + inset,
    text: `${key} ${JSON.stringify(subject.text)}: ${error.message}`,
    ...(error.remedy ? { remedy: error.remedy } : {}),
  };
}
