import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { explain, lineFor } from '../../../src/node-hook/explain.ts';
import { compileTexts } from '../../support/policy.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

let image = '';
let digest = '';

beforeAll(() => {
  const { image: bytes } = compileTexts([
    {
      layer: 'user',
      name: 'user:mine.yaml',
      text: `version: 1
name: mine
policies:
  - action: file_read
    defaultEffect: allow
    rules:
      - { path: "**/.env", effect: deny, reason: "secrets stay here" }
      - { path: "/q", effect: ask }
  - action: file_write
    defaultEffect: deny
  - action: network
    rules:
      - { destination: "good.test", effect: allow }
      - { destination: "half.test:443", effect: allow }
`,
    },
  ]);
  image = join(temporaryDirectory(), 'image');
  digest = createHash('sha256').update(bytes).digest('hex');
  writeFileSync(image, bytes);
});

const opening = (path: string) => explain(image, { code: 'EACCES', syscall: 'open', path }, undefined);

it('a refusal names the rule, its reason and the policy, and what to do', () => {
  const refusal = opening('/nowhere/.env')!;
  expect(refusal).toEqual({
    action: 'file_read',
    target: '/nowhere/.env',
    rule: 'user:mine.yaml:7',
    reason: 'secrets stay here',
    policy: `sha256:${digest}`,
    verdict: 'deny',
    ask: 'Ask the user if you need it; they can see: gatekeeper policy explain file_read /nowhere/.env',
  });
  expect(lineFor(refusal)).toBe(
    'gatekeeper: denied file_read /nowhere/.env: secrets stay here (user:mine.yaml:7). Ask the user if you need it; they can see: gatekeeper policy explain file_read /nowhere/.env',
  );
});

it('where no rule spoke it names the default', () => {
  expect(explain(image, { code: 'EACCES', syscall: 'mkdir', path: '/nowhere/x' }, undefined)).toMatchObject({
    rule: 'user:mine.yaml:10',
    reason: 'no rule allows it',
  });
});

it('what would be asked says so', () => {
  expect(opening('/q')).toMatchObject({ verdict: 'ask', rule: 'user:mine.yaml:8' });
});

it('of an open that may read, it is writing that was refused', () => {
  expect(opening('/nowhere/plain')).toMatchObject({ action: 'file_write' });
});

it('a failure that the policy has nothing to do with is not explained', () => {
  expect(explain(image, { code: 'EACCES', syscall: 'scandir', path: '/nowhere' }, undefined)).toBe(undefined);
});

it('a lookup is explained when every port that it could be for is denied', () => {
  const lookup = (hostname: string) =>
    explain(image, { code: 'EAI_AGAIN', syscall: 'getaddrinfo', hostname }, undefined)?.target;
  expect([lookup('bad.test'), lookup('half.test'), lookup('good.test')]).toEqual([
    'bad.test:443',
    undefined,
    undefined,
  ]);
});

it('a request whose error says nothing is known by where it went', () => {
  expect(explain(image, {}, { host: 'bad.test', port: 80 })).toMatchObject({
    action: 'network',
    target: 'bad.test:80',
  });
  expect(explain(image, {}, { host: 'good.test', port: 80 })).toBe(undefined);
});

it('what the proxy said counts where the image would allow', () => {
  const told = { rule: null, reason: 'special-address', message: 'the address is not on the public internet' };
  expect(explain(image, {}, { host: 'good.test', port: 80, told })).toMatchObject({
    target: 'good.test:80',
    rule: null,
    reason: 'the address is not on the public internet',
  });
});

it('a name that would draw on the terminal does not', () => {
  expect(lineFor(opening('/nowhere/\u001b[2J/.env')!)).not.toContain('\u001b');
});
