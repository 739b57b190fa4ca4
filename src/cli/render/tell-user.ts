import { writeSync } from 'node:fs';

/**
 * A line on standard error, written at once. Not through process.stderr: making that stream may turn the pipe or terminal, which the agent
 * shares, to non-blocking. Text from outside has to be made visible before it comes here.
 */
export function tellUser(line: string): void {
  try {
    writeSync(2, `${line}\n`);
  } catch {
    // Standard error is closed, or full and non-blocking: there is nobody to tell.
  }
}
