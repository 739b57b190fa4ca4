import { describe, expect, it } from 'vitest';
import { isReplaced } from '../../../../src/adapters/proxy/injection.ts';

describe('a header that a rule puts in takes the place of', () => {
  const injected = [['x-key', 'secret']] as const;

  it.each(['x-key', 'x_key', 'x.key', 'x!key'])('%s, which programs behind a server could take for it', (name) => {
    expect(isReplaced(name, injected)).toBe(true);
  });

  it.each(['x-keys', 'xkey', 'x--key', 'y-key', ''])('no other: %s', (name) => {
    expect(isReplaced(name, injected)).toBe(false);
  });
});
