/**
 * JSON as it may be shown: what a terminal would act on, or would draw elsewhere, becomes an escape of the same value. JSON itself escapes the first 32 control
 * characters alone. Programs get the bytes as they are.
 */
export const shownJson = (json: string, isTerminal = process.stdout.isTTY === true): string =>
  isTerminal ? json.replace(ACTED_ON, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`) : json;

const ACTED_ON = /[\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/** One value on standard output, as indented JSON and a newline. */
export function printJson(value: unknown): void {
  process.stdout.write(`${shownJson(JSON.stringify(value, null, 2))}\n`);
}

/** One value a line: for lists that grow and are read by line. */
export function printJsonLine(value: unknown): void {
  process.stdout.write(`${shownJson(JSON.stringify(value))}\n`);
}

/** Text that was made visible already. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
