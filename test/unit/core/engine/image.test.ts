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
    rules: [{ destination: ["a.example", "10.0.0.0/8"], effect: allow }]
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
});
