/** The same complaint again and again is said once a minute. */
export class Complaint {
  readonly #say: (line: string) => void;
  #last = '';
  #until = 0;

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  about(line: string): void {
    if (line === this.#last && performance.now() < this.#until) return;
    this.#last = line;
    this.#until = performance.now() + COMPLAINT_MS;
    this.#say(line);
  }
}

const COMPLAINT_MS = 60_000;
