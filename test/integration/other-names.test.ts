import { chmodSync, linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { denials, inside } from '../support/run-inside.ts';
import { useSandbox } from '../support/sandbox.ts';

/** A file with two names is judged by both, as far as they can be known. */
describe('a file with two names while a directory cannot be read', () => {
  const sandbox = useSandbox();
  let elsewhere: string;
  beforeAll(() => {
    elsewhere = mkdtempSync('/var/tmp/gk-names-');
    mkdirSync(join(sandbox.project, 'shut'));
    chmodSync(join(sandbox.project, 'shut'), 0);
    for (const name of ['known', 'unknown']) writeFileSync(join(elsewhere, name), `${name}\n`);
    linkSync(join(elsewhere, 'known'), join(sandbox.project, 'known'));
    linkSync(join(elsewhere, 'unknown'), join(elsewhere, 'another'));
  });
  afterAll(() => {
    chmodSync(join(sandbox.project, 'shut'), 0o700);
    rmSync(elsewhere, { recursive: true });
  });
  const read = (path: string) => inside(sandbox, ['cat', path], { policy: 'default' });

  it('is read by a name where nothing is searched when the other was found', async () => {
    expect((await read(join(elsewhere, 'known'))).stdout).toBe('known\n');
  });

  it('is refused when the other may lie where nobody could look', async () => {
    const { stdout, receipts } = await read(join(elsewhere, 'unknown'));
    expect(stdout).toBe('');
    expect(denials(receipts)).toContainEqual(expect.objectContaining({ source: 'internal', reason: 'resources' }));
  });
});
