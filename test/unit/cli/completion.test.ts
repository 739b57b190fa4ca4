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

function scriptOf(shell: string): string {
  const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  expect(completion(shell, buildProgram())).toBe(0);
  return written.mock.calls.map(([text]) => text).join('');
}

describe('the bash completion', () => {
  function complete(...words: string[]): string[] {
    const file = join(directory, 'completion.bash');
    writeFileSync(file, scriptOf('bash'));
    const script = `source "$1"; shift; COMP_WORDS=(gatekeeper "$@"); COMP_CWORD=$#; _gatekeeper; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const output = execFileSync('bash', ['--norc', '-c', script, 'bash', file, ...words], {
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
  ])('offers %s', (_name, words, offered) => {
    expect(complete(...words)).toEqual(offered);
  });

  it('offers programs after run --', () => {
    expect(complete('run', '--', 'base64')).toContain('base64');
  });
});

it.each(['zsh', 'fish'])('the %s completion names every verb and every preset', (shell) => {
  const script = scriptOf(shell);
  for (const preset of PRESETS) expect(script).toContain(preset);
  for (const { name } of buildProgram().commands.map((command) => ({ name: command.name() })))
    expect(script).toContain(name);
});

it('refuses a shell that it does not know', () => {
  expect(() => completion('constructor', buildProgram())).toThrow(expect.objectContaining({ code: 'GK_USAGE' }));
});
