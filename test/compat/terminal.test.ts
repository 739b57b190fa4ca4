import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GATEKEEPER, useSandbox } from '../support/sandbox.ts';

/** What a person sees who sits at a terminal: the same keys into a bare program and into one inside, the same screen. */
describe('at a terminal', () => {
  const sandbox = useSandbox();
  const server = `gk-test-${process.pid}`;
  const tmux = (...args: string[]): string => execFileSync('tmux', ['-L', server, ...args], { encoding: 'utf8' });
  // One session is kept to the end: a server that loses its last session ends, and the next row would meet it ending.
  beforeAll(() => void tmux('-f', '/dev/null', 'new-session', '-d', '-s', 'keep', 'sleep 1000'));
  afterAll(() => void tmux('kill-server'));

  const rows: readonly { title: string; command: string; keys: readonly string[][]; file?: string }[] = [
    {
      title: 'vim edits and saves a file, full screen',
      command: 'vim -u NONE -N text',
      keys: [['i', 'first line', 'Enter', 'second'], ['Escape'], [':w', 'Enter'], ['yyp']],
    },
    {
      title: 'less pages through a file and searches',
      command: 'seq 500 | less -X',
      keys: [['Space'], ['/321', 'Enter']],
    },
    {
      title: 'an interactive shell has job control',
      command: 'bash --norc --noprofile -i',
      keys: [
        ['PS1="> "; clear', 'Enter'],
        ['sleep 100', 'Enter'],
        ['C-z'],
        ['jobs', 'Enter'],
        ['bg', 'Enter'],
        ['kill %1; sleep 0.5', 'Enter'],
        ['', 'Enter'],
        ['stty -a | grep -c isig', 'Enter'],
        ['tty | cut -d/ -f1-3', 'Enter'],
      ],
    },
    {
      title: 'an interrupt ends the program and not the shell',
      command: 'bash --norc --noprofile -i',
      keys: [['PS1="> "; clear', 'Enter'], ['sleep 100; echo $?', 'Enter'], ['C-c'], ['echo still here', 'Enter']],
    },
    {
      title: 'a size change reaches the program',
      command: `bash --norc --noprofile -c 'trap "stty size" WINCH; clear; echo ready; while :; do sleep 0.1; done'`,
      keys: [['RESIZE']],
    },
    {
      title: 'a password prompt without echo',
      command: `bash --norc --noprofile -c 'clear; read -rsp "word: " w; echo; echo \${#w}; sleep 100'`,
      keys: [['hidden', 'Enter']],
    },
  ];

  it.each(rows.map((row) => [row.title, row] as const))('%s', async (_title, { command, keys }) => {
    const expected = await screenOf(command, keys);
    const inside = `${process.execPath} ${GATEKEEPER} run -- bash -c ${quote(`exec ${command.includes('|') ? `bash -c ${quote(command)}` : command}`)}`;
    expect(await screenOf(inside, keys)).toEqual(expected);
  });

  it('stops the whole run with ^Z and goes on with fg', async () => {
    const shell = 'bash --norc --noprofile -i';
    const run = `${process.execPath} ${GATEKEEPER} run -- bash -c 'echo begun; sleep 0.1; read -r line; echo got $line' 2>/dev/null`;
    const screen = await screenOf(shell, [
      ['PS1="> "; clear', 'Enter'],
      [run, 'Enter'],
      ['WAIT'],
      ['C-z'],
      ['clear; jobs | cut -c1-15', 'Enter'],
      ['fg >/dev/null', 'Enter'],
      ['hello', 'Enter'],
      ['WAIT'],
    ]);
    expect(screen.join('\n')).toMatch(/\[1\]\+ {2}Stopped[\s\S]*hello[\s\S]*got hello/);
  });

  /** Starts `command` in a terminal of its own, types the keys, and returns what stands on the screen when it is at rest. */
  async function screenOf(command: string, keys: readonly string[][]): Promise<string[]> {
    for (const name of ['text', '.text.swp']) rmSync(join(sandbox.project, name), { force: true });
    tmux(
      'new-session',
      '-d',
      '-s',
      'row',
      '-x',
      '80',
      '-y',
      '20',
      '-c',
      sandbox.project,
      ...environment(),
      command,
    );
    try {
      await atRest();
      for (const group of keys) {
        if (group[0] === 'RESIZE') tmux('resize-window', '-t', 'row', '-x', '100', '-y', '30');
        else if (group[0] === 'WAIT') await sleep(500);
        else for (const key of group) if (key !== '') tmux('send-keys', '-t', 'row', ...(SPECIAL.test(key) ? [key] : ['-l', key]));
        await atRest();
      }
      return capture();
    } finally {
      tmux('kill-session', '-t', 'row');
    }
  }

  function environment(): string[] {
    return Object.entries({ ...sandbox.env, TERM: 'screen', LANG: 'C.UTF-8' }).flatMap(([name, value]) => [
      '-e',
      `${name}=${value}`,
    ]);
  }

  /** The screen without what gatekeeper itself says to root before the program starts. */
  const capture = (): string[] =>
    tmux('capture-pane', '-t', 'row', '-p')
      .split('\n')
      .filter((line) => !line.startsWith('gatekeeper: '))
      .map((line) => line.trimEnd())
      .filter((line) => line !== '');

  /** The screen has content and did not change for a while. */
  async function atRest(): Promise<void> {
    let last = '';
    for (let still = 0, waited = 0; still < 5 && waited < 10_000; waited += 100) {
      await sleep(100);
      const now = tmux('capture-pane', '-t', 'row', '-p');
      still = now === last && now.trim() !== '' ? still + 1 : 0;
      last = now;
    }
  }
});

const SPECIAL = /^(Enter|Escape|Space|C-[a-z])$/;
const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
