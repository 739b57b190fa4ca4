import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PRESETS } from '../../../src/adapters/policy-files/presets.ts';
import { completion } from '../../../src/cli/commands/completion.ts';
import { buildProgram } from '../../../src/cli/program.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gk-completion-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(directory, { recursive: true });
});

async function scriptOf(shell: string): Promise<string> {
  const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  expect(await completion(shell, buildProgram())).toBe(0);
  return written.mock.calls.map(([text]) => text).join('');
}

describe('the bash completion', () => {
  async function complete(...words: string[]): Promise<string[]> {
    const file = join(directory, 'completion.bash');
    writeFileSync(file, await scriptOf('bash'));
    // As readline takes a line apart: a colon is a word of its own.
    const line = words.flatMap((word) => (word === '' ? [word] : word.split(/(:)/).filter(Boolean)));
    const script = `source "$1"; program=$2; shift 2; gatekeeper() { "$program" "$@"; }; COMP_LINE="gatekeeper ${words.join(' ')}"; COMP_POINT=\${#COMP_LINE}
COMP_WORDS=(gatekeeper "$@"); COMP_CWORD=$#; _gatekeeper; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const output = execFileSync('bash', ['--norc', '-c', script, 'bash', file, fakeProgram(), ...line], {
      encoding: 'utf8',
      cwd: directory,
    });
    return output.trim().split('\n');
  }

  it.each([
    ['verbs', ['po'], ['policy']],
    ['verbs beneath a verb', ['policy', 'e'], ['explain']],
    ['options of a verb', ['run', '--n'], ['--net-allow', '--name', '--no-hooks']],
    ['presets where a policy is named', ['run', '--policy', 'cl'], ['claude-code']],
    ['actions and presets that a verb takes', ['policy', 'explain', 'file_r'], ['file_read']],
    ['presets to compare', ['policy', 'diff', 'obs'], ['observe']],
    ['presets beneath a verb', ['policy', 'show', '--policy', 'str'], ['strict']],
    ['options of a verb beneath a verb', ['audit', 'verify', '--p'], ['--public-key']],
    [
      'actions and events of the log',
      ['audit', 'tail', '--action', 'file_'],
      ['file_read', 'file_write', 'file_delete'],
    ],
    ['verdicts', ['audit', 'export', '--verdict', 'wou'], ['would-deny']],
    ['forms of an export', ['audit', 'export', '--format', 'o'], ['ocsf', 'otlp']],
    ['runs of the log', ['audit', 'tail', '--run', 'cl'], ['claude']],
  ])('offers %s', async (_name, words, offered) => {
    expect(await complete(...words)).toEqual(offered);
  });

  it('offers programs after run --', async () => {
    expect(await complete('run', '--', 'base64')).toContain('base64');
  });

  it.each([
    ['what runs were refused, to allow it', ['net', 'allow', 'a'], ['a.example:443', 'api.example:80']],
    ['the same behind another', ['net', 'deny', 'x.example:443', 'ap'], ['api.example:80']],
    ['the rest behind a colon', ['net', 'allow', 'a.example:4'], ['443']],
    ['rules of your own, to remove them', ['net', 'remove', ''], ['*.own.example', 'own.example:443']],
    ['options as everywhere', ['net', 'allow', '--rea'], ['--reason']],
  ])('offers %s', async (_name, words, offered) => {
    expect(await complete(...words)).toEqual(offered);
  });

  /** Says what the real one would of a log and a policy. */
  function fakeProgram(): string {
    const file = join(directory, 'gatekeeper');
    const answers = `case $2 in net-refused) printf 'a.example:443\\napi.example:80\\n' ;; net-own) printf '*.own.example\\nown.example:443\\n' ;; runs) printf 'last\\nclaude\\n' ;; esac`;
    writeFileSync(file, `#!/bin/sh\n${answers}\n`, { mode: 0o755 });
    return file;
  }
});

it.each(['zsh', 'fish'])('the %s completion names every verb and every preset', async (shell) => {
  const script = await scriptOf(shell);
  for (const preset of [...PRESETS, 'connection_closed', 'would-deny', 'completion runs'])
    expect(script).toContain(preset);
  for (const { name } of buildProgram().commands.map((command) => ({ name: command.name() })))
    expect(script).toContain(name);
});

it('refuses a shell that it does not know', async () => {
  await expect(completion('constructor', buildProgram())).rejects.toMatchObject({ code: 'GK_USAGE' });
});
