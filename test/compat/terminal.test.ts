import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
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
    const inside = `${process.execPath} ${GATEKEEPER} run -- bash -c ${quote(`exec ${command.includes('|') ? `bash -c ${quote(command)}` : command}`)}`;
    const [expected, screen] = await screensOf([command, inside], keys);
    expect(screen).toEqual(expected);
  });

  it('stops the whole run with ^Z and goes on with fg', async () => {
    const shell = 'bash --norc --noprofile -i';
    const run = `${process.execPath} ${GATEKEEPER} run -- bash -c 'echo begun; sleep 0.1; read -r line; echo got $line' 2>/dev/null`;
    const [screen] = await screensOf(
      [shell],
      [
        ['PS1="> "; clear', 'Enter'],
        [run, 'Enter'],
        ['UNTIL', '\nbegun'],
        ['C-z'],
        ['clear; jobs | cut -c1-15', 'Enter'],
        ['fg >/dev/null', 'Enter'],
        ['hello', 'Enter'],
        ['UNTIL', 'got hello'],
      ],
    );
    expect(screen?.join('\n')).toMatch(/\[1\]\+ {2}Stopped[\s\S]*hello[\s\S]*got hello/);
  });

  /**
   * Starts each command in a terminal and a directory of its own, types the same keys into all, and returns what stands on their screens in the
   * end. On a busy machine one may be long behind the other: keys are typed when the screens are alike and at rest.
   */
  async function screensOf(commands: readonly string[], keys: readonly string[][]): Promise<string[][]> {
    const sessions = commands.map((_, number) => `row-${number}`);
    try {
      for (const [number, session] of sessions.entries()) {
        const directory = join(sandbox.project, session);
        rmSync(directory, { recursive: true, force: true });
        mkdirSync(directory);
        const size = ['-x', '80', '-y', '20'];
        tmux('new-session', '-d', '-s', session, ...size, '-c', directory, ...environment(), commands[number]!);
      }
      await atRest(sessions);
      for (const group of keys) {
        for (const session of sessions) await type(session, group);
        await atRest(sessions);
      }
      return sessions.map(capture);
    } finally {
      for (const session of sessions) endSession(session);
    }
  }

  async function type(session: string, group: readonly string[]): Promise<void> {
    if (group[0] === 'RESIZE') tmux('resize-window', '-t', session, '-x', '100', '-y', '30');
    else if (group[0] === 'UNTIL') await until(() => tmux('capture-pane', '-t', session, '-p').includes(group[1]!));
    else
      for (const key of group)
        if (key !== '') tmux('send-keys', '-t', session, ...(SPECIAL.test(key) ? [key] : ['-l', key]));
  }

  /** A session that could not be started is not there to be ended. */
  function endSession(session: string): void {
    try {
      tmux('kill-session', '-t', session);
    } catch {}
  }

  function environment(): string[] {
    return Object.entries({ ...sandbox.env, TERM: 'screen', LANG: 'C.UTF-8' }).flatMap(([name, value]) => [
      '-e',
      `${name}=${value}`,
    ]);
  }

  /** The screen without what gatekeeper itself says, wrapped lines as one: to root before the program starts, and of bash's history. */
  const capture = (session: string): string[] =>
    tmux('capture-pane', '-t', session, '-p', '-J')
      .split('\n')
      .filter((line) => !line.startsWith('gatekeeper: '))
      .map((line) => line.trimEnd())
      .filter((line) => line !== '');

  /** The screens have content, are alike, and did not change for a while; or they will not be alike any more. */
  async function atRest(sessions: readonly string[]): Promise<void> {
    let last = '';
    let still = 0;
    await until(() => {
      const screens = sessions.map((session) => capture(session).join('\n'));
      const alike = screens.every((screen) => screen !== '' && screen === screens[0]);
      still = alike && screens[0] === last ? still + 1 : 0;
      last = screens[0]!;
      return still >= 5;
    });
  }

  async function until(isSo: () => boolean): Promise<void> {
    for (let waited = 0; waited < PATIENCE_MS && !isSo(); waited += 100) await sleep(100);
  }
});

const PATIENCE_MS = 30_000;
const SPECIAL = /^(Enter|Escape|Space|C-[a-z])$/;
const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
