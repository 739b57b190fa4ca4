import { describe, expect, it } from 'vitest';
import { PolicyImage } from '../../../../src/core/engine/image.ts';
import { ImageError } from '../../../../src/core/engine/image-error.ts';
import { compileTexts } from '../../../support/policy.ts';

const { image } = compileTexts([
  {
    layer: 'user',
    text: `version: 1
name: x
policies:
  - action: file_read
    rules:
      - { path: ["./**", "**/*.md", "~/[a-z]?/x"], effect: allow, override: true, reason: why }
  - action: shell_exec
    rules: [{ command: ["git *", "/usr/bin/*"], effect: ask }]
  - action: network
    rules:
      - { destination: ["a.example", "10.0.0.0/8"], effect: allow }
      - destination: "b.example:443"
        effect: allow
        inspect: true
        inject: [{ header: authorization, value: "Bearer {secret}", secret: "env:TOKEN" }]
`,
  },
]);

describe('PolicyImage', () => {
  it('gives back what was compiled', () => {
    const opened = PolicyImage.open(image, 'digest');
    expect(opened.digest).toBe('digest');
    expect(opened.rules.map(({ label, effect, reason }) => [label, effect, reason])[0]).toEqual([
      'user:0.yaml:6',
      'allow',
      'why',
    ]);
    expect(opened.roots).toEqual(['/home/u', '/home/u', '/home/u/p', '/home/u/p', '/tmp', '/tmp']);
    expect(opened.launchers.has('bash')).toBe(true);
    expect(opened.meta).toMatchObject({ policy: 'x' });
  });

  it('refuses every cut and never reads outside', () => {
    for (let length = 0; length < image.length; length += 97) {
      expect(() => PolicyImage.open(image.slice(0, length), '')).toThrow(ImageError);
    }
  });

  it('refuses damage, or reads something valid, and never fails otherwise', () => {
    let refused = 0;
    for (let at = 0; at < image.length; at += 61) {
      const damaged = image.slice();
      damaged[at] = damaged[at]! ^ 0x81;
      try {
        PolicyImage.open(damaged, '');
      } catch (error) {
        expect(error).toBeInstanceOf(ImageError);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(20);
  });

  describe('refuses terms', () => {
    const view = new DataView(image.buffer, image.byteOffset, image.length);
    const section = (id: number): number => {
      for (let at = 32; ; at += 16) if (view.getUint32(at, true) === id) return view.getUint32(at + 4, true);
    };
    const [terms, injections] = [section(15), section(16)];
    const textAt = (at: number): number => section(1) + view.getUint32(at, true);
    const opened = PolicyImage.open(image, '');
    const [deciding] = [opened.rules.findIndex((rule) => rule.terms.inspect)];

    it('never, when they are as they were written', () => {
      expect(opened.rules[deciding]?.terms.injections).toEqual([
        { header: 'authorization', value: 'Bearer {secret}', secret: 'TOKEN' },
      ]);
      expect(view.getUint32(terms, true)).toBe(deciding);
    });

    it.each([
      ['of a rule that does not exist', terms, [0xff, 0xff, 0, 0], 'terms of a rule that does not exist'],
      ['of a rule about files', terms, [0, 0, 0, 0], 'injection without inspection'],
      ['with an unknown word on inspection', terms + 4, [3], 'malformed terms'],
      ['that do not inspect what is injected into', terms + 4, [1], 'injection without inspection'],
      ['with an unknown word on names in TLS', terms + 5, [4], 'malformed terms'],
      ['with more bytes than they need', terms + 6, [1], 'malformed terms'],
      ['whose injection is of another rule', injections, [0, 0, 0, 0], 'injection without inspection'],
      ['whose secret comes from an unknown place', injections + 4, [1], 'malformed injection'],
      ['whose header is none', textAt(injections + 8), [0x20], 'malformed injection'],
      ['whose header has capitals', textAt(injections + 8), [0x41], 'malformed injection'],
      ['whose value breaks the line', textAt(injections + 16), [0x0a], 'malformed injection'],
      ['whose value has no place for the secret', textAt(injections + 16) + 8, [0x53], 'malformed injection'],
      ['whose variable is none', textAt(injections + 24), [0x3d], 'malformed injection'],
      ['whose text lies outside', injections + 11, [0x7f], 'text outside the strings'],
    ])('%s', (_what, at, put, expected) => {
      const damaged = image.slice();
      damaged.set(put, at);
      expect(() => PolicyImage.open(damaged, '')).toThrow(expected);
    });

    it('that inject for everybody', () => {
      const hosts = section(9);
      const damaged = image.slice();
      for (let at = hosts; at < section(9) + 64 * opened.hosts.length; at += 64)
        if (view.getUint32(at, true) === deciding) damaged[at + 4] = 0;
      expect(() => PolicyImage.open(damaged, '')).toThrow('injection for everybody');
    });
  });
});
