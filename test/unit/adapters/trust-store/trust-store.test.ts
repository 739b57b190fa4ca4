import { execFileSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { addTrust, readTrust, removeTrust, trustOf } from '../../../../src/adapters/trust-store/trust-store.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const one = 'a'.repeat(64);
const other = 'b'.repeat(64);
const at = '2026-01-02T03:04:05.000Z';
let store: string;
beforeEach(() => {
  store = `${temporaryDirectory()}/trust.json`;
});

describe('the trust store', () => {
  it('trusts nothing while it does not exist', () => {
    expect(trustOf(readTrust(store), '/p/.gatekeeper.yaml', one)).toBe('unknown');
    expect(removeTrust(store, '/p/.gatekeeper.yaml')).toBe(false);
  });

  it('trusts one content at one place, and tells a changed file from an unknown one', () => {
    addTrust(store, { path: '/p/.gatekeeper.yaml', digest: one, at });
    const files = readTrust(store);
    expect(trustOf(files, '/p/.gatekeeper.yaml', one)).toBe('trusted');
    expect(trustOf(files, '/p/.gatekeeper.yaml', other)).toBe('changed');
    expect(trustOf(files, '/clone/.gatekeeper.yaml', one)).toBe('unknown');
    expect(statSync(store).mode & 0o077).toBe(0);
  });

  it('forgets the old content when a new one is trusted, and everything when it is taken back', () => {
    addTrust(store, { path: '/p/.gatekeeper.yaml', digest: one, at });
    addTrust(store, { path: '/q/.gatekeeper.yaml', digest: one, at });
    addTrust(store, { path: '/p/.gatekeeper.yaml', digest: other, at });
    expect(trustOf(readTrust(store), '/p/.gatekeeper.yaml', one)).toBe('changed');
    expect(removeTrust(store, '/p/.gatekeeper.yaml')).toBe(true);
    expect(readTrust(store)).toEqual([{ path: '/q/.gatekeeper.yaml', digest: one, at }]);
  });

  it.each([
    ['is no JSON', '{'],
    ['is of another version', '{"v":2,"files":[]}'],
    ['has an entry without a digest', '{"v":1,"files":[{"path":"/p","at":"x"}]}'],
    ['has a digest that is none', '{"v":1,"files":[{"path":"/p","digest":"*","at":"x"}]}'],
    ['is null', 'null'],
  ])('believes nothing of a file that %s, and does not write over it', (_name, text) => {
    writeFileSync(store, text);
    expect(() => readTrust(store)).toThrow('is not understood');
    expect(() => addTrust(store, { path: '/p', digest: one, at })).toThrow('is not understood');
    expect(readFileSync(store, 'utf8')).toBe(text);
  });

  it('keeps what two processes add at once', () => {
    const module = new URL('../../../../src/adapters/trust-store/trust-store.ts', import.meta.url).href;
    const script = `
      const { addTrust } = await import(${JSON.stringify(module)});
      for (let i = 0; i < 20; i++) addTrust(${JSON.stringify(store)}, { path: '/' + process.argv.at(-1) + i, digest: '${one}', at: 'x' });`;
    const worker = `"$0" --import tsx --input-type=module -e "$1"`;
    execFileSync('bash', ['-c', `${worker} a & ${worker} b & wait -n && wait -n`, process.execPath, script]);
    expect(readTrust(store)).toHaveLength(40);
  });
});
