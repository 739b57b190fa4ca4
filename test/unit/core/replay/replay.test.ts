import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { PolicyImage } from '../../../../src/core/engine/image.ts';
import { BUILT_IN } from '../../../../src/core/replay/built-in.ts';
import { Changes, compareWith, MOST_RUNS } from '../../../../src/core/replay/changes.ts';
import { isDecision, isWellFormed, type RecordedDecision } from '../../../../src/core/replay/recorded.ts';
import { replay } from '../../../../src/core/replay/replay.ts';
import { mayStartRun, RunStarts } from '../../../../src/core/replay/run-facts.ts';
import { REASON } from '../../../../src/core/wire/messages.ts';
import { compileTexts } from '../../../support/policy.ts';

const POLICY = `version: 1
name: mine
policies:
  - action: file_read
    rules:
      - { path: "./a/**", effect: allow }
      - { path: "./b/**", effect: deny, reason: no }
      - { path: "./c/**", effect: ask }
  - action: file_write
    rules: [{ path: "./**", effect: allow }, { path: "./.git/config", effect: deny }]
  - action: file_delete
    rules: [{ path: "./a/**", effect: deny }, { path: "./b/**", effect: allow }]
  - action: shell_exec
    rules:
      - { command: "git *", effect: allow }
      - { command: "git push *", effect: deny }
      - { command: "wget *", effect: deny }
      - { command: "perl *", effect: deny, reason: no perl }
      - { command: "./bin/*", effect: allow, log: true }
      - { command: "* --version", effect: allow }
      - { command: "/lib/ld-linux.so *", effect: allow }
      - { command: "npm *", effect: ask }
  - action: network
    rules: [{ destination: "10.0.0.0/8", effect: allow }, { destination: "a.test", effect: allow }]
`;
const open = (text: string, grants?: Parameters<typeof compileTexts>[3]) => {
  const clock = { seconds: 0 };
  const { image } = compileTexts([{ layer: 'user', text }], undefined, undefined, grants);
  return { image: PolicyImage.open(image, '', () => clock.seconds), clock };
};
const recorded = open(POLICY);
/** What receipts call the first rule of that pattern. */
const ruleFor = (written: string) => recorded.image.rules.find(({ pattern }) => pattern === written)!.label;
const HOME = '/home/u/p';
const record = (members: Partial<RecordedDecision>): RecordedDecision => ({
  ...{ v: 1, seq: 1, hash: '', prev: '', time: '2026-01-01T00:00:00.000Z', run: 'r', n: 1 },
  ...{ action: 'file_read', verdict: 'deny', source: 'rule' },
  ...members,
});
const decided = (members: Partial<RecordedDecision>, ...simulated: [boolean | undefined] | []) =>
  replay(recorded, record(members), { simulate: simulated.length > 0 ? simulated[0] : false });

describe('a decision of the policy', () => {
  const byB = { target: `${HOME}/b/x`, rule: ruleFor('./b/**'), reason: 'no' };

  test.each<[string, Partial<RecordedDecision>, boolean | undefined, string]>([
    ['as it was', byB, false, 'agrees'],
    ['that was an allow', { ...byB, verdict: 'allow' }, false, 'differs'],
    ['by another rule', { ...byB, rule: ruleFor('./a/**') }, false, 'differs'],
    ['for another reason', { ...byB, reason: 'yes' }, false, 'differs'],
    ['from another source', { ...byB, source: 'silence' }, false, 'differs'],
    ['with an exception that there was not', { ...byB, pierced: ruleFor('./a/**') }, false, 'differs'],
    ['about another file', { ...byB, target: `${HOME}/a/x` }, false, 'differs'],
    ['softened in a run that is not simulated', { ...byB, verdict: 'would-deny' }, false, 'differs'],
    ['softened in one that is', { ...byB, verdict: 'would-deny' }, true, 'agrees'],
    ['not softened in one that is', byB, true, 'differs'],
    ['softened in a run of which the log does not tell', { ...byB, verdict: 'would-deny' }, undefined, 'agrees'],
    ['without what was judged', { ...byB, target: undefined }, false, 'not-decided'],
    ['with a name that is no text', { ...byB, target: '?', targetBytes: btoa(`${HOME}/b/\xff`) }, false, 'agrees'],
  ])('%s', (_what, members, simulate, kind) => {
    expect(decided(members, simulate).kind).toBe(kind);
  });

  it('that nobody answered is silence', () => {
    const asked = {
      target: `${HOME}/c/x`,
      source: 'silence',
      rule: ruleFor('./c/**'),
      reason: 'ask-unanswered',
    } as const;
    expect(decided(asked)).toEqual({ kind: 'agrees' });
    expect(decided({ ...asked, source: 'rule' }).kind).toBe('differs');
  });
});

describe('a command', () => {
  const run = (members: Partial<RecordedDecision>) => decided({ action: 'shell_exec', mayWrite: '0 0 0', ...members });
  const none = { source: 'default', reason: 'no-rule' } as const;
  const wget = { source: 'rule', rule: ruleFor('wget *') } as const;
  const perl = { source: 'rule', rule: ruleFor('perl *'), reason: 'no perl' } as const;
  const script = { interpreter: '/usr/bin/perl', line: `-w ${HOME}/bin/x` };

  /** As native-hooks/test/spawn_judge_test.c has them. */
  test.each<[string, Partial<RecordedDecision>]>([
    ['by its name', { target: '/usr/bin/wget', command: 'wget y', ...wget }],
    [
      'that poses as git where it can be written',
      { target: `${HOME}/git`, command: 'git diff', mayWrite: '7 0 0', ...none },
    ],
    ['by its link', { target: '/usr/bin/x', alias: '/usr/bin/wget', command: 'wget y', ...wget }],
    [
      'by a link that can be written, which tightens',
      { target: '/usr/bin/x', alias: `${HOME}/wget`, command: 'wget y', mayWrite: '0 7 0', ...wget },
    ],
    [
      'by a link that can be written, which does not loosen',
      { target: '/usr/bin/x', alias: `${HOME}/git`, command: 'git diff', mayWrite: '0 7 0', ...none },
    ],
    ['by argv[0], which tightens', { target: '/usr/bin/busybox', called: 'wget', command: 'busybox y', ...wget }],
    ['by argv[0], which does not loosen', { target: '/usr/bin/id', called: 'git', command: 'id diff', ...none }],
    ['by no name', { target: '/usr/bin/id', alias: '/usr/bin/git', called: '/', command: 'git diff', ...none }],
    [
      'by its interpreter',
      { target: `${HOME}/bin/x`, command: `perl -w ${HOME}/bin/x 'a b'`, byInterpreter: true, ...script, ...perl },
    ],
    ['that nobody vouches for', { target: '/usr/bin/id', command: 'id', ...none }],
    ['as a loader that is nobody’s command', { target: '/opt/wget', mayWrite: undefined, ...wget }],
  ])('%s', (_what, members) => {
    expect(run(members)).toEqual({ kind: 'agrees' });
    expect(run({ ...members, verdict: 'allow' }).kind).toBe('differs');
  });

  test.each<[string, Partial<RecordedDecision>]>([
    ['git where the user may not write', { target: `${HOME}/git`, command: 'git diff', ...none }],
    [
      'a script whose interpreter is another',
      {
        target: `${HOME}/bin/x`,
        command: 'perl -w x',
        byInterpreter: true,
        ...script,
        interpreter: '/bin/sh',
        ...perl,
      },
    ],
    ['a launcher', { target: '/usr/bin/sh', command: 'sh -c x', ...none }],
  ])('is not refused so: %s', (_what, members) => {
    expect(run(members).kind).not.toBe('agrees');
  });

  test.each<[string, Partial<RecordedDecision>, string]>([
    [
      'redacted',
      { target: '/usr/bin/git', command: 'git -u x:[redacted]', source: 'rule', rule: ruleFor('git push *') },
      'redacted',
    ],
    [
      'shortened',
      {
        target: '/usr/bin/git',
        command: `git ${'a'.repeat(2040)} ... ${'a'.repeat(2048)}`,
        source: 'rule',
        rule: ruleFor('git push *'),
      },
      'shortened',
    ],
    ['of an older log', { target: '/usr/bin/git', command: 'git push x', mayWrite: undefined }, 'no-input'],
  ])('cannot be decided again: %s', (_what, members, why) => {
    expect(run(members)).toEqual({ kind: 'not-decided', why });
  });
});

describe('what refused without a rule', () => {
  test.each(Object.keys(BUILT_IN))(
    '%s is never an allow, and softened only where it is no protection of ours',
    (reason) => {
      const internal = [
        'unreadable-memory',
        'journal-failed',
        'resources',
        'transient',
        'run-unknown',
        'secret-unknown',
      ];
      const source = internal.includes(reason) ? ('internal' as const) : ('protection' as const);
      const members = { action: 'file_delete', reason, source, target: `${HOME}/a`, target2: `${HOME}/b` } as const;
      const isDecidedByMore =
        reason !== 'move-loosens' &&
        !['abstract-socket', 'bind-address', 'loader-program', 'secret-in-clear'].includes(reason);
      if (isDecidedByMore) expect(decided(members)).toEqual({ kind: 'not-decided', why: reason });
      expect(decided({ ...members, verdict: 'allow' }).kind).toBe('differs');
      const softened = { ...members, verdict: 'would-deny' } as const;
      if (BUILT_IN[reason]!.always) expect(decided(softened, true).kind).toBe('differs');
      else if (isDecidedByMore) expect(decided(softened, true).kind).toBe('not-decided');
    },
  );

  it('is of a closed list, which knows every reason of the supervisor', () => {
    expect(decided({ source: 'protection', reason: 'made-up' }).kind).toBe('differs');
    expect(decided({ source: 'internal', reason: 'made-up' }).kind).toBe('differs');
    expect(REASON.filter((reason) => !Object.hasOwn(BUILT_IN, reason))).toEqual(['ask-unanswered']);
  });

  test.each<[string, Partial<RecordedDecision>, string]>([
    ['move-loosens', { action: 'file_delete', target: `${HOME}/a`, target2: `${HOME}/b` }, 'agrees'],
    ['move-loosens', { action: 'file_delete', target: `${HOME}/x`, target2: `${HOME}/y` }, 'not-decided'],
    ['abstract-socket', { action: 'unix_socket', target: '@x' }, 'agrees'],
    ['abstract-socket', { action: 'unix_socket', target: '/x' }, 'differs'],
    ['bind-address', { action: 'network', destination: '192.0.2.1', syscall: 'bind' }, 'agrees'],
    ['bind-address', { action: 'network', destination: '10.0.0.1', port: 80, syscall: 'bind' }, 'differs'],
    [
      'loader-program',
      { action: 'shell_exec', target: '/lib/ld-musl.so', command: 'ld-musl.so --version', mayWrite: '0 0 0' },
      'agrees',
    ],
    [
      'loader-program',
      { action: 'shell_exec', target: '/lib/ld-linux.so', command: 'ld-linux.so x', mayWrite: '0 0 0' },
      'differs',
    ],
    [
      'secret-in-clear',
      { action: 'network', destination: 'a.test', port: 80, via: 'http', method: 'GET', path: '/' },
      'differs',
    ],
  ])('is held against the image: %s', (reason, members, kind) => {
    expect(decided({ source: 'protection', reason, ...members }).kind).toBe(kind);
  });

  test.each(['inherited', 'typed', 'launcher'] as const)('%s speaks where no rule does, and only there', (source) => {
    const members = { action: 'shell_exec', verdict: 'allow', source, mayWrite: '0 0 0' } as const;
    expect(decided({ ...members, target: '/usr/bin/id', command: 'id' })).toEqual({ kind: 'agrees', by: source });
    expect(decided({ ...members, target: '/usr/bin/wget', command: 'wget' }).kind).toBe('differs');
  });
});

it('a grant that ends may have stood or have ended, and nothing else', () => {
  const grant = { id: 'g1', action: 'file_read', pattern: `${HOME}/c/x`, until: 1000 } as const;
  const granting = open(POLICY, [grant]);
  const asked = {
    target: `${HOME}/c/x`,
    source: 'silence',
    rule: ruleFor('./c/**'),
    reason: 'ask-unanswered',
  } as const;
  const rule = granting.image.rules.find(({ label }) => label.startsWith('grants:'))!;
  const granted = {
    target: `${HOME}/c/x`,
    verdict: 'allow',
    rule: rule.label,
    pierced: ruleFor('./c/**'),
    reason: rule.reason || undefined,
  } as const;
  const said = (members: Partial<RecordedDecision>) => replay(granting, record(members), { simulate: false }).kind;
  expect([said(granted), said(asked)]).toEqual(['agrees', 'agrees']);
  expect(said({ ...granted, target: `${HOME}/b/x` })).toBe('differs');
  expect(decided(granted).kind).toBe('differs');
});

describe('another policy', () => {
  const candidate = open(POLICY.replace('path: "./b/**", effect: deny, reason: no', 'path: "./b/**", effect: ask'));
  const changed = (members: Partial<RecordedDecision>) =>
    compareWith(candidate, recorded, record(members), { simulate: false });

  it('changes what it judges differently, and nothing that no policy lifts', () => {
    const denied = { target: `${HOME}/b/x`, rule: ruleFor('./b/**'), reason: 'no' };
    expect(changed(denied)).toEqual({
      kind: 'changes',
      before: { effect: 'deny', rule: ruleFor('./b/**') },
      after: { effect: 'ask', rule: ruleFor('./b/**') },
    });
    expect(changed({ target: `${HOME}/x`, source: 'default', reason: 'no-rule' })).toEqual({ kind: 'same' });
    expect(changed({ source: 'protection', reason: 'foreign-process' })).toEqual({ kind: 'same' });
    expect(changed({ source: 'protection', reason: 'denied-identity' })).toEqual({
      kind: 'not-decided',
      why: 'denied-identity',
    });
    // What was granted where the candidate asks would be granted again.
    expect(changed({ target: `${HOME}/c/x`, verdict: 'allow', rule: 'grants:g1' })).toEqual({ kind: 'same' });
  });

  it('has its changes counted in groups, whose number is bounded', () => {
    const changes = new Changes();
    const kind = 'changes' as const;
    for (let at = 0; at < 5000; at++) {
      const before = { effect: 'deny' as const, rule: `r${at}` };
      changes.add(record({ run: `run${at}`, count: 2, target: `/x${at}` }), {
        kind,
        before,
        after: { effect: 'allow', rule: 'a' },
      });
    }
    const list = changes.list();
    expect(list.length).toBeLessThan(2100);
    expect(list.reduce((total, { count }) => total + count, 0)).toBe(10_000);
    expect(list[0]).toMatchObject({ before: { rule: '(others)' }, runs: MOST_RUNS, examples: { length: 3 } });
  });
});

describe('what was read from a log', () => {
  it('tells of runs from its first lines', () => {
    const starts = new RunStarts();
    const created = {
      action: 'run_create',
      run: 'r',
      simulate: true,
      cwd: '/w',
      text: '--net-allow a.test b.test',
    } as const;
    starts.take({ ...record({}), ...created });
    expect(starts.of('r')).toEqual({ simulate: true, cwd: '/w', netAllow: ['a.test', 'b.test'] });
    expect(starts.of('other')).toMatchObject({ simulate: undefined, cwd: undefined });
    expect(
      ['{"action":"run_create","x":1}', '{"a":1,"action":"run_start"}', '{"action":"run_end"}'].map(mayStartRun),
    ).toEqual([true, true, false]);
  });

  it('never throws, whatever it is', () => {
    const value = fc.oneof(
      fc.string(),
      fc.constantFrom(
        'network',
        'shell_exec',
        'allow',
        'deny',
        'rule',
        'protection',
        'dns',
        'http',
        'a.test',
        '/x',
        '0 0 0',
      ),
    );
    const names = [
      'action',
      'verdict',
      'source',
      'rule',
      'reason',
      'target',
      'targetBytes',
      'target2',
      'command',
      'alias',
      'called',
      'interpreter',
      'line',
      'mayWrite',
      'destination',
      'address',
      'via',
      'known',
      'method',
      'path',
    ];
    const members = fc.record(
      { ...Object.fromEntries(names.map((name) => [name, value])), port: fc.integer(), seq: fc.nat() },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(
        members,
        fc.constantFrom('file_read', 'shell_exec', 'network', 'unix_socket', 'tool_call'),
        (found, action) => {
          const made = { ...record({}), ...found, action } as RecordedDecision;
          expect(isWellFormed(made) && isDecision(made)).toBe(true);
          replay(recorded, made, { simulate: undefined });
          compareWith(recorded, undefined, made, { simulate: undefined });
        },
      ),
      { numRuns: 500 },
    );
    expect(isWellFormed({ ...record({}), port: '80' as never })).toBe(false);
  });
});
