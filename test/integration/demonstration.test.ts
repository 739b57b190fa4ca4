import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { inside } from '../support/run-inside.ts';
import { useSandbox } from '../support/sandbox.ts';

/** The transcripts of docs/hooks.md: what is typed, and every line that comes of it. */
const transcripts = [
  ...readFileSync(new URL('../../docs/hooks.md', import.meta.url), 'utf8').matchAll(/```console\n\$ (.*)\n([^`]*)```/g),
].map(([, command, output]) => ({ command: command!, output: output! }));

describe('docs/hooks.md shows what an agent sees', () => {
  const sandbox = useSandbox();
  // A run that has to wait for it says so.
  beforeAll(async () => {
    await sandbox.gatekeeper(['daemon', 'start']);
  });

  it('in a shell, in Node, in Python and of the network', () => {
    expect(transcripts.map(({ command }) => command.split(' -- ')[1]!.split(' ')[0])).toEqual([
      'bash',
      'node',
      'python3',
      'curl',
    ]);
  });

  it.each(transcripts)('$command', async ({ command, output }) => {
    sandbox.write('.env', 'SECRET=swordfish\n');
    const [options, typed] = command.replace('gatekeeper run', '').split('-- ') as [string, string];
    const result = await inside(sandbox, wordsOf(typed), {
      policy: 'default',
      options: options.split(' ').filter(Boolean),
      hooks: 'on',
    });
    const seen = (result.stdout + result.stderr)
      .replaceAll(sandbox.project, '/home/u/p')
      .replace(/sha256:[0-9a-f]{64}/, 'sha256:…')
      .replace(/[‘’]/g, "'");
    expect(linesOf(seen)).toEqual(linesOf(output));
  });
});

/** What comes by two streams has no order. */
const linesOf = (text: string): string[] => text.split('\n').filter(Boolean).sort();

/** Blanks part words, single quotes hold them together. */
const wordsOf = (typed: string): string[] =>
  [...typed.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!);
