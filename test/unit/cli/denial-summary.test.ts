import { expect, it } from 'vitest';
import { summaryLine } from '../../../src/cli/denial-summary.ts';
import type { RunSummary } from '../../../src/core/contract/control-api.ts';

const run = (fields: Partial<RunSummary>) => ({ id: 'r1', simulate: false, ...fields }) as RunSummary;

it('counts denials by action, the most frequent first', () => {
  expect(summaryLine(run({ denied: 3, deniedByAction: { network: 1, file_read: 2, shell_exec: 0 } }))).toBe(
    'gatekeeper: 3 denied (2 file_read, 1 network); see: gatekeeper audit tail --run r1',
  );
});

it('does not call denied what a simulation let happen', () => {
  expect(summaryLine(run({ denied: 1, simulate: true }))).toBe(
    'gatekeeper: 1 would have been denied; see: gatekeeper audit tail --run r1',
  );
});
