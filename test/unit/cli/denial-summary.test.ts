import { expect, it } from 'vitest';
import { networkHint, summaryLine } from '../../../src/cli/denial-summary.ts';
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

const refused = (destination: string, port = 443) =>
  ({ destination, port, via: 'connect', verdict: 'deny', source: 'default', reason: 'no-rule' }) as const;

it.each([
  ['one destination by name', {}, [refused('a.example')], 'to allow it: gatekeeper net allow a.example:443'],
  [
    'several with a look at all of them',
    {},
    [refused('a.example'), refused('b.example')],
    'to allow these destinations: gatekeeper net suggest r1',
  ],
  [
    'nothing that another policy than the own would not heed',
    { policy: 'strict' },
    [refused('a.example', 80), refused('a.example')],
    'to allow it in a run: --net-allow a.example:80 --net-allow a.example:443',
  ],
  ['nothing when a rule denied it', {}, [{ ...refused('a.example'), source: 'rule' }], undefined],
])('offers to allow %s', (_name, fields, refusals, hint) => {
  expect(networkHint(run(fields), refusals)).toBe(hint);
});
