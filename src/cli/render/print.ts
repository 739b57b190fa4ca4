/** One value on standard output, as indented JSON and a newline. JSON escapes control characters by itself. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** One value a line: for lists that grow and are read by line. */
export function printJsonLine(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** Text that was made visible already. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
