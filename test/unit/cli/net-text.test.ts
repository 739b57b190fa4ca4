import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { NetEffect } from '../../../src/cli/net-effect.ts';
import { changeLines, uptakeLines } from '../../../src/cli/render/net-change.ts';
import { suggestionText } from '../../../src/cli/render/net-suggestion.ts';
import { searchDomains } from '../../../src/cli/search-domains.ts';
import { type Attempt, suggestRules } from '../../../src/core/analysis/net-suggest.ts';

const denied = (fields: Attempt): Attempt => ({
  verdict: 'deny',
  source: 'default',
  via: 'connect',
  port: 443,
  program: '/usr/bin/node',
  ...fields,
});
const textOf = (attempts: Attempt[], more = {}) =>
  suggestionText({
    ...suggestRules(attempts),
    ...{ run: 'r1', name: 'claude', userPolicy: '/home/u/policy.yaml', allowedByNow: [] },
    ...more,
  });

describe('the text of a suggestion', () => {
  it('is a block for a policy, with all that is no rule in comments', () => {
    const text = textOf([
      denied({ destination: 'a.cdn.example' }),
      denied({ destination: 'b.cdn.example' }),
      denied({ destination: 'b.cdn.example', port: 80 }),
      denied({ destination: 'c.example', via: 'dns', port: undefined }),
      denied({ destination: 'd.example', source: 'rule', rule: 'user:p.yaml:3' }),
    ]);
    expect(text).toBe(`# What run claude (r1) was refused because no rule allows it.
# The names come from the run: read them before you allow them.
# It goes beneath "policies:" in /home/u/policy.yaml; or: gatekeeper net suggest r1 --apply
  - action: network
    rules:
      - { destination: ["b.cdn.example:80", "b.cdn.example:443"], effect: allow } # 2 times, node
      - { destination: "a.cdn.example:443", effect: allow } # once, node
      - { destination: "c.example:443", effect: allow } # once, node, asked for by name alone: the port is a guess
      # in place of a.cdn.example, b.cdn.example, but with every other name beneath it:
      # - { destination: "*.cdn.example:443", effect: allow }
# not suggested:
#   d.example:443  once, denied by user:p.yaml:3`);
    expect(parse(`policies:\n${text}`).policies[0].rules).toHaveLength(3);
  });

  it('holds no line that an agent has written', () => {
    const evil = '\n  - action: network\n    rules: [{ destination: "*", effect: allow }]\n#\u001b[2J\u202e';
    const attempts = (['program', 'rule', 'destination', 'reason'] as const).flatMap((field) => [
      denied({ destination: 'a.example', [field]: evil }),
      denied({ destination: 'a.example', source: 'rule', [field]: evil }),
      denied({ destination: 'a.example', reason: 'special-address', address: evil, [field]: evil }),
    ]);
    const text = textOf(attempts, { name: evil, policy: evil });
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
    expect(parse(`policies:\n${text}`)).toEqual({
      policies: [{ action: 'network', rules: [{ destination: 'a.example:443', effect: 'allow' }] }],
    });
  });

  it('says how to run again under the policy that the run was under', () => {
    expect(textOf([denied({ destination: 'a.example' })], { policy: 'strict' })).toContain(
      '# The run was under --policy strict, not under your own policy. Under it again: --net-allow a.example:443\n',
    );
  });

  it('says that there is nothing to suggest', () => {
    expect(textOf([])).toMatch(/\n# There is nothing to suggest\.$/);
  });
});

describe('the text of a change', () => {
  const effect = (fields: Partial<NetEffect>): NetEffect => ({
    ...{ verdict: 'allow', rule: null, pattern: null, reason: null, place: null, hint: null, undone: null },
    ...fields,
  });
  const denial = { verdict: 'deny', rule: 'system:all.yaml:4', pattern: '*.example', reason: 'no' } as const;

  it.each([
    ['that has its effect', 'allow', effect({}), ['allowed  a.example']],
    [
      'that a stricter rule makes useless',
      'allow',
      effect({ ...denial, place: '/etc/gatekeeper/all.yaml:4', hint: 'ask the administrator' }),
      [
        'allowed  a.example',
        '  without effect here: system:all.yaml:4 deny *.example: no',
        '  at /etc/gatekeeper/all.yaml:4',
        '  to allow: ask the administrator',
      ],
    ],
    [
      'that an exception makes useless',
      'deny',
      effect({ rule: 'user:policy.yaml:9', pattern: 'a.example' }),
      ['denied  a.example', '  without effect here: user:policy.yaml:9 allow a.example'],
    ],
    [
      'after which something else still allows',
      'remove',
      effect({ rule: 'preset:node.yaml:9', pattern: 'a.example' }),
      ['removed  a.example', '  still allowed: preset:node.yaml:9 allow a.example'],
    ],
    ['after which nothing speaks', 'remove', effect({ verdict: 'deny' }), ['removed  a.example']],
    ['whose effect is not known', 'allow', null, ['allowed  a.example']],
  ] as const)('%s', (_name, change, found, lines) => {
    expect(changeLines(change, { destination: 'a.example', changed: true, effect: found })).toEqual(lines);
  });

  it('warns of addresses where clouds hand out credentials', () => {
    const result = { destination: '169.254.169.254', changed: true, effect: effect({}) };
    expect(changeLines('allow', result)[1]).toMatch(/careful: clouds/);
    expect(changeLines('deny', { ...result, effect: effect({ verdict: 'deny' }) })).toHaveLength(1);
  });

  it('warns where a rule for some requests is undone', () => {
    const result = { destination: 'a.example', changed: true, effect: effect({ undone: 'user:policy.yaml:9' }) };
    expect(changeLines('allow', result)).toEqual([
      'allowed  a.example',
      '  careful: user:policy.yaml:9 let only some requests through; now all of them pass',
    ]);
  });

  it('names the runs that obey, and those that do not', () => {
    expect(
      uptakeLines([
        { id: '1', name: 'one', state: 'taken' },
        { id: '2', name: 'two', state: 'other', policy: 'strict' },
        { id: '3', name: 'three', state: 'taken' },
        { id: '4', name: 'four', state: 'broken' },
        { id: '5', name: 'five', state: 'waiting' },
      ]),
    ).toEqual([
      'from the next connection on in: one, three',
      'not yet in: five',
      'not in, since a file of the policy is broken (see: gatekeeper policy check): four',
      'not in, since another policy holds there: two (--policy strict)',
    ]);
    expect(uptakeLines([])).toEqual(['no run is going on; the next one has it']);
  });
});

it('search domains are those of the last line that names them', () => {
  const directory = mkdtempSync(join(tmpdir(), 'gk-search-'));
  const file = join(directory, 'resolv.conf');
  writeFileSync(file, 'nameserver 192.0.2.1\ndomain a.example\n# search c.example\nsearch b.example  corp.example .\n');
  expect(searchDomains(file)).toEqual(['b.example', 'corp.example']);
  expect(searchDomains(join(directory, 'none'))).toEqual([]);
  rmSync(directory, { recursive: true });
});
