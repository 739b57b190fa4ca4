import { expect, it } from 'vitest';
import { partialRule } from '../../../src/cli/partial-rule.ts';
import { parseHost } from '../../../src/core/egress/host-name.ts';
import { openTexts } from '../../support/policy.ts';

const image = openTexts([
  {
    layer: 'user',
    text: `version: 1
name: u
policies:
  - action: network
    rules:
      - { destination: "a.example:80", effect: allow, methods: [GET] }
      - { destination: "*.b.example", effect: allow, paths: ["/v1/**"] }
      - { destination: "c.example", effect: deny, methods: [POST] }
      - { destination: "d.example", effect: allow }
      - { destination: "10.0.0.0/8", effect: allow, methods: [GET] }
`,
  },
]);

it.each([
  ['a.example', 80, 'user:0.yaml:6'],
  ['a.example', 443, undefined],
  ['x.b.example', 8080, 'user:0.yaml:7'],
  ['b.example', 8080, undefined],
  ['c.example', 80, undefined],
  ['d.example', 80, undefined],
  ['10.1.2.3', 1, 'user:0.yaml:10'],
])('of %s:%i the rule that lets some requests through is %s', (host, port, rule) => {
  expect(partialRule(image, parseHost(host)!, port)).toBe(rule);
});
