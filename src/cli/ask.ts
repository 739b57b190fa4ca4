import { createInterface } from 'node:readline/promises';

/** Whether there is a person to ask: both ends are a terminal. */
export const canAsk = (): boolean => process.stdin.isTTY === true && process.stdout.isTTY === true;

/** Puts questions on the terminal, one after the other. The end of input answers with what is usual. */
export async function ask<T>(
  questions: (put: (question: string, usual: string) => Promise<string>) => Promise<T>,
): Promise<T> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  let closed = false;
  const end = new Promise<string>((resolve) => {
    terminal.once('close', () => {
      closed = true;
      resolve('');
    });
  });
  try {
    return await questions(async (question, usual) => {
      if (closed) return usual;
      const shown = usual === '' ? '' : ` [${usual}]`;
      const answer = await Promise.race([terminal.question(`${question}${shown} `), end]);
      return answer.trim() || usual;
    });
  } finally {
    terminal.close();
  }
}
