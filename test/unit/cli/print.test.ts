import { describe, expect, it } from 'vitest';
import { shownJson } from '../../../src/cli/render/print.ts';

describe('JSON on a terminal', () => {
  const json = JSON.stringify({ target: '/\x9b31m\x7f\u202egnp\u2028é€', command: '\x1b[31m' });

  it('has nothing that a terminal would act on, and is the same value', () => {
    const shown = shownJson(json, true);
    expect(shown).not.toMatch(/[\x00-\x1f\x7f-\x9f\u2028\u202e]/);
    expect(shown).toContain('é€');
    expect(JSON.parse(shown)).toEqual(JSON.parse(json));
  });

  it('is as it was for programs', () => {
    expect(shownJson(json, false)).toBe(json);
  });
});
