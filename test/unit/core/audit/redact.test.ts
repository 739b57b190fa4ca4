import { describe, expect, test } from 'vitest';
import { redact } from '../../../../src/core/audit/redact.ts';
import { growthOf } from '../../../support/growth.ts';

describe('redaction', () => {
  test.each([
    ["curl -H 'Authorization: Bearer abc.def' https://h/", "curl -H 'Authorization: [redacted]' https://h/"],
    ["curl -H 'X-Api-Key: 12345' h", "curl -H 'X-Api-Key: [redacted]' h"],
    ["curl -H 'Cookie: a=b; c=d' h", "curl -H 'Cookie: [redacted]' h"],
    ['git clone https://me:s3cret@host/x.git', 'git clone https://[redacted]@host/x.git'],
    ['git clone https://ghp_0123456789abcdef@host/x.git', 'git clone https://[redacted]@host/x.git'],
    ['curl https://h/p?token=abc&x=1#f', 'curl https://h/p?[redacted]'],
    ['deploy --token=abc --verbose', 'deploy --token=[redacted] --verbose'],
    ['deploy --api-key abc --verbose', 'deploy --api-key [redacted] --verbose'],
    ["deploy --password 'a b' x", 'deploy --password [redacted] x'],
    ['env AWS_SECRET_ACCESS_KEY=abc ls', 'env AWS_SECRET_ACCESS_KEY=[redacted] ls'],
    ['env GITHUB_TOKEN=x npm_config__auth=y sh', 'env GITHUB_TOKEN=[redacted] npm_config__auth=[redacted] sh'],
    ['psql PASSWORD=hunter2', 'psql PASSWORD=[redacted]'],
    ['curl -u me:pw h', 'curl -u me:[redacted] h'],
    [`curl -d '{"password": "x y", "a": 1}' h`, `curl -d '{"password": "[redacted]", "a": 1}' h`],
    ['echo sk-abcdefghijklmnop', 'echo [redacted]'],
  ])('%s', (text, expected) => {
    expect(redact(text)).toBe(expected);
  });

  test.each([
    'git diff --stat',
    "git commit -m 'auth: fix the token parser'",
    'cat --token-file /x',
    'ls https://example.com/a/b',
    'git log --author=me',
  ])('leaves %s alone', (text) => {
    expect(redact(text)).toBe(text);
  });

  test.each(['-', 'a', 'a.', 'a://', 'x-', ' -u ', 'token', 'token ', '"', "'", ' ', 'a://b?', '://', '--token '])(
    'takes time in proportion to the length of %j again and again',
    (piece) => {
      expect(growthOf((size) => redact(piece.repeat(size / piece.length)), 4096)).toBeLessThan(32);
    },
  );
});
