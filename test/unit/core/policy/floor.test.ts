import { describe, expect, it } from 'vitest';
import { imageOf } from '../../../support/policy.ts';

const floor = (body: string) => Object.fromEntries(imageOf(body).floor.map(({ path, access }) => [path, access]));

describe('the floor', () => {
  it('is the literal beginning of what is not denied', () => {
    expect(
      floor(`  - action: file_read
    rules:
      - { path: "/usr/**", effect: allow }
      - { path: "/opt/x*/y", effect: ask }
      - { path: "/etc/hosts", effect: allow }
      - { path: "/secret/**", effect: deny }
      - { path: "/srv/**/z", effect: shadow }
`),
    ).toEqual({ '/usr': 5, '/opt': 5, '/etc/hosts': 5, '/srv': 5 });
  });

  it('takes the parent directory where files are made or deleted', () => {
    expect(floor('  - action: file_write\n    rules:\n      - { path: "/a/b/file", effect: allow }\n')).toEqual({
      '/a/b': 3,
    });
  });

  it('is everything under a default that allows, and under a floating allow', () => {
    expect(floor('  - action: file_read\n    defaultEffect: ask\n')).toEqual({ '/': 5 });
    expect(floor('  - action: file_read\n    rules: [{ path: "*.md", effect: allow }]\n')).toEqual({ '/': 5 });
  });

  it('leaves out what a broader entry covers', () => {
    expect(
      floor(
        '  - action: file_read\n    rules: [{ path: ["/a/**", "/a/b/**", "/ab/**"], effect: allow }]\n  - action: file_write\n    rules: [{ path: "/a/b/**", effect: allow }]\n',
      ),
    ).toEqual({ '/a': 5, '/ab': 5, '/a/b': 2 });
  });
});
