import { describe, expect, it } from 'vitest';
import { parseAddress } from '../../../../src/core/egress/address.ts';
import { exactNames, mayReach, mayReachAt } from '../../../../src/core/engine/may-reach.ts';
import { imageOf } from '../../../support/policy.ts';

const under = (...rules: string[]) =>
  imageOf(`  - action: network\n    rules:\n${rules.map((rule) => `      - ${rule}\n`).join('')}`);

describe('a name may be reached', () => {
  it.each([
    ['a.test', '{ destination: "a.test", effect: allow }'],
    ['a.test', '{ destination: "a.test:22", effect: allow }'],
    ['a.test', '{ destination: "a.test:8000-9000", effect: ask }'],
    ['x.a.test', '{ destination: "*.a.test:443", effect: allow }'],
    ['anything.test', '{ destination: "*:443", effect: allow }'],
    ['a.test', '{ destination: "a.test", effect: allow, methods: [GET], paths: ["/v1/**"] }'],
    ['localhost', '{ destination: "localhost:3000", effect: allow }'],
  ])('%s under %s', (name, rule) => {
    expect(mayReach(under(rule), name)).toBe(true);
  });

  it('where a rule denies other ports, or other requests, of it', () => {
    const open = '{ destination: "a.test:400-500", effect: allow }';
    expect(mayReach(under(open, '{ destination: "a.test:400-499", effect: deny }'), 'a.test')).toBe(true);
    expect(mayReach(under(open, '{ destination: "a.test:401-65535", effect: deny }'), 'a.test')).toBe(true);
    expect(mayReach(under(open, '{ destination: "a.test", effect: deny, methods: [POST] }'), 'a.test')).toBe(true);
    expect(mayReach(under(open, '{ destination: "a.test", effect: ask, methods: [POST] }'), 'a.test')).toBe(true);
  });

  it('where an override lifts what denies it, and where the default allows', () => {
    const lifted = [
      '{ destination: "a.test", effect: deny }',
      '{ destination: "a.test:443", effect: allow, override: true }',
    ];
    expect(mayReach(under(...lifted), 'a.test')).toBe(true);
    expect(mayReach(imageOf('  - { action: network, defaultEffect: allow, rules: [] }\n'), 'a.test')).toBe(true);
  });
});

describe('a name may not be reached', () => {
  it.each([
    ['b.test', '{ destination: "a.test", effect: allow }'],
    ['a.test', '{ destination: "*.a.test", effect: allow }'],
    ['xa.test', '{ destination: "*.a.test", effect: allow }'],
    ['a.test', '{ destination: "10.0.0.0/8", effect: allow }'],
    ['a.test', '{ destination: "localhost", effect: allow }'],
  ])('%s under %s', (name, rule) => {
    expect(mayReach(under(rule), name)).toBe(false);
  });

  it('where a rule denies it on every port that another allows', () => {
    const open = '{ destination: "*:443", effect: allow }';
    expect(mayReach(under(open, '{ destination: "a.test:443", effect: deny }'), 'a.test')).toBe(false);
    expect(mayReach(under(open, '{ destination: "*.test", effect: deny }'), 'a.test')).toBe(false);
    expect(mayReach(under('{ destination: "a.test:443", effect: allow }'), 'a.test')).toBe(true);
  });
});

it('the exact names are those that rules spell out, allow, and nothing else denies', () => {
  const image = under(
    '{ destination: ["b.test:443", "a.test", "b.test:22", "*.wild.test", "10.0.0.0/8", "*:80"], effect: allow }',
    '{ destination: ["evil.test", "b.test:22"], effect: deny }',
    '{ destination: ["asked.test"], effect: ask }',
    '{ destination: ["a.test"], effect: deny }',
  );
  expect(exactNames(image, 512)).toEqual(['b.test', 'asked.test']);
  expect(exactNames(image, 1)).toEqual(['b.test']);
});

it('a name may be reached where a rule names its address, unless one refuses the name', () => {
  const at = parseAddress('10.0.0.5')!;
  const open = '{ destination: "10.0.0.0/8:5432", effect: allow }';
  expect(mayReachAt(under(open), 'db.test', at)).toBe(true);
  expect(mayReachAt(under(open), 'db.test', parseAddress('11.0.0.5')!)).toBe(false);
  expect(mayReachAt(under(open, '{ destination: "db.test", effect: deny }'), 'db.test', at)).toBe(false);
  expect(mayReachAt(under(open, '{ destination: "*.test:443", effect: allow }'), 'db.test', at)).toBe(false);
  expect(mayReachAt(under('{ destination: "*", effect: allow }'), 'db.test', parseAddress('1.2.3.4')!)).toBe(false);
});
