import { describe, expect, it } from 'vitest';
import type { LogVerification } from '../../../src/adapters/audit-log/verify-log.ts';
import { verificationText } from '../../../src/cli/render/verification-text.ts';

const checkpoint = { origin: 'gatekeeper/x', size: 7, root: 'cm9vdA==' };
function textOf(seq: number, keys: string[] = []): string {
  const result: LogVerification = {
    ...{ ok: true, entries: seq, signatures: seq, head: { seq, hash: '' }, log: 'x', first: 1, files: 1, bytes: 1 },
    ...{ keys: [], checkpoint, problems: [], losses: [], lossCount: 0, kept: [] },
  };
  return verificationText({ result, directory: '/d', by: 'SHA256:x (pinned)', keys, about: undefined });
}

describe('what verification came to, in words', () => {
  it('says which entries no checkpoint tells of', () => {
    expect(textOf(7)).not.toContain('behind it');
    expect(textOf(8)).toMatch(/behind it +entry 8: only those with a signature of their own are proven yet/);
    expect(textOf(12)).toMatch(/behind it +entries 8 to 12: /);
  });

  it('says that a copy ends with a key that is none of now', () => {
    expect(textOf(7, ['SHA256:x'])).not.toContain('signed by');
    expect(textOf(7, ['SHA256:old', 'SHA256:x'])).toMatch(/signed by +SHA256:old, SHA256:x$/m);
    expect(textOf(7, ['SHA256:old'])).toMatch(/signed by +SHA256:old, at the end by a former key/);
  });
});
