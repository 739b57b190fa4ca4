import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { EgressEvent } from '../../src/adapters/proxy/egress-event.ts';
import { Gate } from '../../src/adapters/proxy/gate.ts';
import { Lookup } from '../../src/adapters/proxy/lookup.ts';
import { journalRecord } from '../../src/core/audit/journal-record.ts';
import type { AuditFields, AuditRecord } from '../../src/core/audit/record.ts';
import { parseHost } from '../../src/core/egress/host-name.ts';
import { decideCommand, decideHost, decidePath, type PathAction } from '../../src/core/engine/decide.ts';
import { egressTermsFor } from '../../src/core/engine/egress-terms.ts';
import { PolicyImage } from '../../src/core/engine/image.ts';
import type { Decision } from '../../src/core/engine/precedence.ts';
import { compareWith } from '../../src/core/replay/changes.ts';
import { isDecision, type RecordedDecision } from '../../src/core/replay/recorded.ts';
import { replay } from '../../src/core/replay/replay.ts';
import { encodeFrame, parseFrame } from '../../src/core/wire/frame.ts';
import { ACTION, EFFECT, SOURCE, VERDICT } from '../../src/core/wire/messages.ts';
import { egressRecord } from '../../src/daemon/egress-record.ts';
import { bytes, commandTexts, compileTexts } from '../support/policy.ts';

/** Policies, and requests that are judged as the supervisor and the egress judge them, with the receipts that they leave. */
it('what an image decided is decided alike again; no other verdict is, and another policy changes what it judges differently', async () => {
  const seen = { allowed: 0, refused: 0, changed: 0, otherImage: 0 };
  // To compile one costs as much as to judge a thousand requests.
  const made = fc.sample(policies, 24).map((text) => ({ text, image: open(text) }));
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...made),
      fc.constantFrom(...made),
      requests,
      fc.boolean(),
      async (one, other, asked, simulate) => {
        const [image, candidate] = [one.image, other.image];
        for (const request of asked) {
          const record = (await receiptOf(image, request, simulate)) as RecordedDecision;
          expect(isDecision(record), JSON.stringify(record)).toBe(true);
          if (record.source === 'launcher') continue; // leaves no receipt
          const context = JSON.stringify({ one: one.text, record });
          expect(replay(opened(image), record, { simulate }), context).toEqual({ kind: 'agrees' });
          seen[record.verdict === 'allow' ? 'allowed' : 'refused']++;
          for (const verdict of ['allow', 'deny', 'would-deny'] as const)
            if (verdict !== record.verdict)
              expect(replay(opened(image), { ...record, verdict }, { simulate }).kind, context).toBe('differs');

          const elsewhere = (await receiptOf(candidate, request, simulate)) as RecordedDecision;
          // A name that was refused was never looked up, so that of what another policy says of its address nothing is known.
          if (record.address === undefined && elsewhere.address !== undefined) continue;
          const isSame = says(elsewhere) === says(record);
          expect(replay(opened(candidate), record, { simulate }).kind === 'agrees', context).toBe(isSame);
          if (!isSame) seen.otherImage++;
          const changes = compareWith(opened(candidate), opened(image), record, { simulate }).kind === 'changes';
          expect(changes, JSON.stringify({ one: one.text, other: other.text, record, elsewhere })).toBe(
            effect(elsewhere) !== effect(record),
          );
          if (changes) seen.changed++;
        }
      },
    ),
    { numRuns: 100 },
  );
  expect(Math.min(...Object.values(seen)), JSON.stringify(seen)).toBeGreaterThan(10);
});

const opened = (image: PolicyImage) => ({ image, clock: { seconds: 0 } });
const says = ({ verdict, source, rule, pierced, reason }: AuditRecord): string =>
  JSON.stringify([verdict, source, rule, pierced, reason]);
const effect = ({ verdict, source }: AuditRecord): string =>
  verdict === 'allow' ? 'allow' : source === 'silence' ? 'ask' : 'deny';

type Request =
  | { action: PathAction; path: string }
  | { command: string[]; mayWrite: boolean }
  | { host: string; addresses: string[]; port: number; method: string | undefined; own: boolean };

function receiptOf(image: PolicyImage, request: Request, simulate: boolean): Promise<AuditFields> | AuditFields {
  if ('host' in request) return connectionReceipt(image, request, simulate);
  if ('path' in request) {
    const { action, path } = request;
    const decision = decidePath(image, action, bytes(path));
    return frameReceipt(image, decision, { ACTION: ACTION[action], TARGET: bytes(path) }, simulate);
  }
  const [program = ''] = request.command;
  const { base, path } = commandTexts(request.command);
  const writable = request.mayWrite && prefixes(program).some((one) => mayBeWritten(image, one));
  const places = `${request.mayWrite ? 'f' : '0'} 0 0`;
  const fields = { ACTION: ACTION.shell_exec, TARGET: bytes(program), COMMAND: base, MAY_WRITE: bytes(places) };
  const decision = decideCommand(image, base, path, writable);
  return frameReceipt(image, vouched(image, decision, program, writable), fields, simulate);
}

const prefixes = (path: string): string[] =>
  path.split('/').flatMap((_, at, parts) => (at === 0 ? [] : [parts.slice(0, at + 1).join('/')]));
const mayBeWritten = (image: PolicyImage, path: string): boolean =>
  decidePath(image, 'file_write', bytes(path)).effect !== 'deny';

/** A launcher starts where no rule speaks. */
function vouched(image: PolicyImage, decision: Decision, program: string, writable: boolean) {
  const launcher = decision.source === 'default' && !writable && image.launchers.has(program.split('/').at(-1)!);
  return launcher ? { ...decision, effect: 'allow' as const, source: 'launcher' as const } : decision;
}

/** As the supervisor writes it (native-hooks/supervise/judge.c). */
function frameReceipt(
  image: PolicyImage,
  { effect: found, source, rule, pierced }: Omit<Decision, 'source'> & { source: keyof typeof SOURCE },
  fields: Parameters<typeof encodeFrame>[1],
  simulate: boolean,
): AuditFields {
  const refused = EFFECT[found] > EFFECT.allow;
  const softened = simulate && source !== 'protection';
  const reason = found === 'ask' ? 'ask-unanswered' : refused && rule === null ? 'no-rule' : undefined;
  const frame = parseFrame(
    encodeFrame('DECISION', {
      TIME_NS: 1_000_000_000n,
      PID: 7,
      ...fields,
      VERDICT: VERDICT[!refused ? 'allow' : softened ? 'would-deny' : 'deny'],
      SOURCE: SOURCE[found === 'ask' ? 'silence' : source],
      ...(rule === null ? {} : { RULE: rule }),
      ...(pierced === null ? {} : { PIERCED: pierced }),
      ...(reason === undefined ? {} : { REASON: bytes(reason) }),
    }),
  );
  if (frame instanceof Error) throw frame;
  const run = { run: 'r1', agent: 'test', policy: 'sha256:00' };
  return journalRecord(frame, { ...run, rule: (index) => image.rules[index] })!;
}

/** By the gate of the egress itself. */
async function connectionReceipt(
  image: PolicyImage,
  { host, addresses, port, method, own }: Extract<Request, { host: string }>,
  simulate: boolean,
): Promise<AuditFields> {
  const events: EgressEvent<PolicyImage>[] = [];
  const gate = new Gate<PolicyImage>({
    policyOf: () => ({ image, simulate }),
    decide: decideHost,
    termsOf: egressTermsFor,
    record: async (event) => void events.push(event),
    isOwnPort: (at) => at === OWN_PORT,
    isOwnAddress: () => own,
    lookup: new Lookup(async () => addresses, 10_000),
  });
  const asked = method === undefined ? {} : { method, path: '/a/b' };
  const connection = { run: 'r1', pid: 7, program: '/bin/x', kind: 'proxy' } as const;
  await gate.admit(connection, { host: parseHost(host)!, port, via: 'http', known: 'http', ...asked });
  const at = { time: '2026-01-01T00:00:00.000Z', agent: 'test', policy: 'sha256:00' };
  return egressRecord(events[0]!, at, (index) => image.rules[index]);
}

function open(text: string): PolicyImage {
  return PolicyImage.open(compileTexts([{ layer: 'user', text }]).image, '', () => 0);
}

const OWN_PORT = 4999;
const effects = fc.constantFrom(
  ...['allow', 'deny', 'ask'].map((one) => `effect: ${one}`),
  'effect: allow, log: true',
  'effect: deny, reason: because',
  'effect: ask, reason: who',
);
const rulesOf = (key: string, subjects: readonly string[]) =>
  fc.array(
    fc
      .tuple(fc.constantFrom(...subjects), effects)
      .map(([subject, rest]) => `      - { ${key}: "${subject}", ${rest} }`),
    { minLength: 1, maxLength: 5 },
  );
const PATHS = ['./**', './a/**', './a/b', './*.txt', '~/**', '/etc/**'];
const COMMANDS = ['git *', 'git push *', 'make', '* --danger', './bin/*', '/usr/bin/env *', 'sh *', '*'];
const PLACES = ['a.test', '*.a.test', 'c.test:80', '*', '10.0.0.0/8', '10.1.2.3:443', 'localhost', '93.184.216.34'];
const policies = fc
  .tuple(
    ...['file_read', 'file_write', 'file_delete', 'unix_socket'].map((action) =>
      rulesOf('path', PATHS).map((rules) => [action, rules] as const),
    ),
    rulesOf('command', COMMANDS).map((rules) => ['shell_exec', rules] as const),
    rulesOf('destination', PLACES).map((rules) => ['network', rules] as const),
  )
  .map(
    (actions) =>
      `version: 1\nname: random\npolicies:\n${actions.map(([action, rules]) => `  - action: ${action}\n    rules:\n${rules.join('\n')}\n`).join('')}`,
  );
const requests = fc.array(
  fc.oneof(
    fc.record({
      action: fc.constantFrom<PathAction>('file_read', 'file_write', 'file_delete', 'unix_socket'),
      path: fc.constantFrom(
        '/home/u/p',
        '/home/u/p/a/b',
        '/home/u/p/a/c',
        '/home/u/p/x.txt',
        '/home/u/q',
        '/etc/x',
        '/',
      ),
    }),
    fc.record({
      command: fc
        .tuple(
          fc.constantFrom(
            '/usr/bin/git',
            '/usr/bin/make',
            '/home/u/p/bin/x',
            '/usr/bin/env',
            '/bin/sh',
            '/home/u/p/sh',
          ),
          fc.array(fc.constantFrom('push', 'a b', '--danger', "it's", ''), { maxLength: 2 }),
        )
        .map(([program, args]) => [program, ...args]),
      mayWrite: fc.boolean(),
    }),
    fc.record({
      host: fc.constantFrom(
        'a.test',
        'b.a.test',
        'c.test',
        '10.1.2.3',
        '93.184.216.34',
        '127.0.0.1',
        '[::1]',
        '198.18.0.7',
      ),
      addresses: fc.subarray(['93.184.216.34', '10.1.2.3', '127.0.0.1']).map((list) => list.slice(0, 1)),
      port: fc.constantFrom(80, 443, OWN_PORT),
      method: fc.constantFrom(undefined, 'GET', 'POST'),
      own: fc.boolean(),
    }),
  ),
  { minLength: 5, maxLength: 12 },
);
