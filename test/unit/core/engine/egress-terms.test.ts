import { describe, expect, it } from 'vitest';
import { parseAddress } from '../../../../src/core/egress/address.ts';
import {
  egressTermsFor,
  injectionsFor,
  inspectsAnything,
  secretsOf,
} from '../../../../src/core/engine/egress-terms.ts';
import { PolicyImage } from '../../../../src/core/engine/image.ts';
import { bytes, compileTexts, imageOf } from '../../../support/policy.ts';

const rules = (...lines: string[]): string =>
  `  - action: network\n    rules:\n${lines.map((line) => `      - { ${line} }\n`).join('')}`;
const inject = (secret: string, header = 'authorization') =>
  `inject: [{ header: ${header}, value: "Bearer {secret}", secret: "env:${secret}" }]`;
const request = { method: 'GET', path: bytes('/') };

describe('the headers that go into a request', () => {
  const image = imageOf(
    rules(
      'destination: "*", effect: allow',
      `destination: "api.test", effect: allow, inspect: true, methods: [GET], ${inject('FIRST')}`,
      `destination: "*.test", effect: allow, inspect: true, inject: [{ header: authorization, value: "x {secret}", secret: "env:LATER" }, { header: cookie, value: "{secret}", secret: "env:COOKIE" }]`,
      `destination: "no.test", effect: deny, methods: [POST]`,
      `destination: "asked.example", effect: ask, inspect: true, ${inject('ASKED')}`,
    ),
  );
  const of = (name: string, method = 'GET') =>
    injectionsFor(image, { name, port: 443, request: { ...request, method } }).map(
      ({ header, secret }) => `${header} ${secret}`,
    );

  it('are those of every rule that allows it, however wide the rule that is named', () => {
    expect(of('api.test')).toEqual(['authorization FIRST', 'cookie COOKIE']);
  });

  it('are those of rules that speak of it', () => {
    expect(of('api.test', 'POST')).toEqual(['authorization LATER', 'cookie COOKIE']);
    expect(of('web.example')).toEqual([]);
  });

  it('are none when it is refused, or nobody has answered', () => {
    expect(of('no.test')).not.toEqual([]);
    expect(of('no.test', 'POST')).toEqual([]);
    expect(of('asked.example')).toEqual([]);
  });

  it('are those of the rule that asked once it was granted', () => {
    const text = `version: 1\nname: x\npolicies:\n${rules(`destination: "asked.test", effect: ask, inspect: true, ${inject('ASKED')}`)}`;
    const grant = { id: 'g1', action: 'network', pattern: 'asked.test', until: 0 } as const;
    const open = (grants: (typeof grant)[]) =>
      PolicyImage.open(compileTexts([{ layer: 'user', text }], undefined, undefined, grants).image, '');
    const headers = (grants: (typeof grant)[]) =>
      injectionsFor(open(grants), { name: 'asked.test', port: 443, request });
    expect(headers([])).toEqual([]);
    expect(headers([grant])).toEqual([{ header: 'authorization', value: 'Bearer {secret}', secret: 'ASKED' }]);
    expect(egressTermsFor(open([grant]), { name: 'asked.test', port: 443 }).inspect).toBe(true);
  });

  it('are none where an exception keeps the connection from being inspected', () => {
    const lines = [
      `destination: "*.test", effect: allow, inspect: true, ${inject('KEY')}`,
      'destination: "pinned.test", effect: allow, override: true, inspect: false',
    ];
    const headers = (name: string) => injectionsFor(imageOf(rules(...lines)), { name, port: 80, request });
    expect([headers('a.test').length, headers('pinned.test').length]).toEqual([1, 0]);
  });

  it('name all their variables beforehand', () => {
    expect(secretsOf(image)).toEqual(['ASKED', 'COOKIE', 'FIRST', 'LATER']);
    expect(inspectsAnything(image)).toBe(true);
    expect(inspectsAnything(imageOf(rules('destination: "*", effect: allow, inspect: false')))).toBe(false);
  });
});

describe('the terms of a connection', () => {
  it('are the usual ones where no rule says others', () => {
    const image = imageOf(rules('destination: "*", effect: allow'));
    expect(egressTermsFor(image, { name: 'a.test', port: 443 })).toEqual({ sni: 'required', inspect: false });
    expect(egressTermsFor(image, { name: 'a.test', port: 8443 })).toEqual({ sni: 'match', inspect: false });
  });

  it('are those of an address that another carries (RFC 6052)', () => {
    const image = imageOf(
      rules('destination: "*", effect: allow', 'destination: "93.184.216.34", effect: allow, inspect: true'),
    );
    const inspects = (text: string) => egressTermsFor(image, { address: parseAddress(text)!, port: 443 }).inspect;
    expect(['64:ff9b::5db8:d822', '64:ff9b::5db8:d823', '93.184.216.34'].map(inspects)).toEqual([true, false, true]);
  });

  it('are said for the port that the rule is about', () => {
    const image = imageOf(rules('destination: "a.test:22", effect: allow, sni: any, inspect: true'));
    expect(egressTermsFor(image, { name: 'a.test', port: 22 })).toEqual({ sni: 'any', inspect: true });
    expect(egressTermsFor(image, { name: 'a.test', port: 23 })).toEqual({ sni: 'match', inspect: false });
  });
});
