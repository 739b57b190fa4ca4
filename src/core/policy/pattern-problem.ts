/** A pattern that is refused; `index` is where in the pattern's text, in UTF-16 units. */
export class PatternProblem extends Error {
  readonly index: number;
  readonly remedy: string | undefined;

  constructor(text: string, index: number, remedy?: string) {
    super(text);
    this.name = 'PatternProblem';
    this.index = index;
    this.remedy = remedy;
  }
}
