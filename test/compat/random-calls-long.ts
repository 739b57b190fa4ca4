/**
 * Random calls for as long as wanted: `tsx test/compat/random-calls-long.ts [--steps N] [--first SEED] [--threads] [--ordinary]`. Prints every
 * difference between bare and inside with the command that makes its sequence, and ends with status 1 when there was one.
 */
import { parseArgs } from 'node:util';
import { ordinaryAccount } from '../support/account.ts';
import { compareCalls, sequenceCommand } from '../support/random-calls.ts';
import { openSandbox } from '../support/sandbox.ts';

const STEPS_A_SEQUENCE = 300;
const SEQUENCES_A_RUN = 100;

const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '1000000' },
    first: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 40)) },
    threads: { type: 'boolean', default: false },
    ordinary: { type: 'boolean', default: false },
  },
});
const wanted = Number(values.steps);
const sandbox = openSandbox({ user: values.ordinary ? ordinaryAccount() : undefined });
let first = Number(values.first);
let done = 0;
let found = 0;
try {
  while (done < wanted) {
    const sequences = { first, count: SEQUENCES_A_RUN, steps: STEPS_A_SEQUENCE, threads: values.threads };
    for (const difference of await compareCalls(sandbox, sequences)) {
      found++;
      console.log(
        `${sequenceCommand(difference, sequences)}\n  bare   ${difference.bare}\n  inside ${difference.inside}`,
      );
    }
    first += SEQUENCES_A_RUN;
    done += SEQUENCES_A_RUN * STEPS_A_SEQUENCE * (values.threads ? 2 : 1);
    console.log(`${done} steps, ${found} differences, next ${first}`);
  }
} finally {
  await sandbox.close();
}
process.exitCode = found === 0 ? 0 : 1;
