/** One thing that is wrong with a policy file. `line` and `column` count from 1; 0 when the whole file is meant. */
export type PolicyProblem = {
  file: string;
  line: number;
  column: number;
  /** What is wrong, one line, without the place. */
  text: string;
  /** What to do about it, one line. */
  remedy?: string;
};

/** A policy that cannot be used. It is never used in part: a file with one problem is refused whole. */
export class PolicyError extends Error {
  readonly problems: readonly PolicyProblem[];
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly remedy: string | undefined;

  /** @param problems at least one; the first is the error's own place and message. */
  constructor(problems: readonly PolicyProblem[]) {
    const [first] = problems;
    if (!first) throw new RangeError('a PolicyError needs a problem');
    super(describeProblem(first));
    this.name = 'PolicyError';
    this.problems = problems;
    this.file = first.file;
    this.line = first.line;
    this.column = first.column;
    this.remedy = first.remedy;
  }
}

/** `policy.yaml:7:11: unknown effect "alow"; effects are allow, deny, ask, shadow` */
export function describeProblem(problem: PolicyProblem): string {
  const place = problem.line > 0 ? `${problem.file}:${problem.line}:${problem.column}` : problem.file;
  const text = problem.remedy ? `${problem.text}; ${problem.remedy}` : problem.text;
  return `${place}: ${text}`.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, ' ');
}
