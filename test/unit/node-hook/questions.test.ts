import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Asked } from '../../../src/core/engine/answer.ts';
import { type ErrorFacts, questionsOf } from '../../../src/node-hook/questions.ts';
import { subjectOf, wordsFor } from '../../../src/node-hook/subjects.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const TUNNEL = 'Failed to establish tunnel to a.test:8443 via http://127.0.0.1:1: HTTP/1.1 403 egress denied: no-rule';
const asked = (error: ErrorFacts): string[] =>
  questionsOf(error).map((question) => `${question.action} ${subjectOf(question)}`);
const refused = (syscall: string, more: ErrorFacts): ErrorFacts => ({ code: 'EACCES', syscall, ...more });

describe('what a failed call may have been refused for', () => {
  it.each<[string, ErrorFacts, string[]]>([
    ['an open', refused('open', { path: '/a/b' }), ['file_read /a/b', 'file_write /a/b']],
    [
      'an open by a function that writes',
      refused('open', { path: '/a/b', stack: 'Error: …\n    at Object.writeFileSync (node:fs:2423:20)' }),
      ['file_write /a/b', 'file_read /a/b'],
    ],
    ['a listing', refused('scandir', { path: '/a' }), ['file_read /a']],
    ['a new directory', refused('mkdir', { path: '/a' }), ['file_write /a']],
    ['a removal', refused('unlink', { path: '/a' }), ['file_delete /a']],
    [
      'a move',
      refused('rename', { path: '/a', dest: '/b' }),
      ['file_write /b', 'file_delete /a', 'file_write /a', 'file_read /a'],
    ],
    ['a copy', refused('copyfile', { path: '/a', dest: '/b' }), ['file_read /a', 'file_write /b']],
    ['a link', refused('symlink', { path: 'x', dest: '/b' }), ['file_write /b']],
    ['a spawn', refused('spawn /bin/x', { path: '/bin/x', spawnargs: ['a', 'b'] }), ['shell_exec /bin/x a b']],
    ['a connection', refused('connect', { address: '127.0.0.1', port: 9 }), ['network 127.0.0.1:9']],
    ['one over IPv6', refused('connect', { address: '::1', port: 9 }), ['network [::1]:9']],
    ['one to a socket', refused('connect', { address: '/a.sock' }), ['unix_socket /a.sock']],
    ['a listener', refused('listen', { address: '/a.sock' }), ['file_write /a.sock', 'unix_socket /a.sock']],
    [
      'a lookup',
      { code: 'EAI_AGAIN', syscall: 'getaddrinfo', hostname: 'a.test' },
      ['network a.test:443', 'network a.test:80'],
    ],
    ['a tunnel', { code: 'ERR_PROXY_TUNNEL', message: TUNNEL }, ['network a.test:8443']],
    ['TLS that is cut off', { code: 'ECONNRESET', host: 'a.test', port: 443 }, ['network a.test:443']],
  ])('%s', (_name, error, expected) => {
    expect(asked(error)).toEqual(expected);
  });

  it.each<[string, ErrorFacts]>([
    ['nothing', {}],
    ['a name that is not there', { code: 'ENOENT', syscall: 'open', path: '/a' }],
    ['a port that is taken', { code: 'EADDRINUSE', syscall: 'listen', address: '127.0.0.1', port: 80 }],
    ['an abstract socket', refused('connect', { address: '\0name' })],
    ['facts of the wrong types', refused('open', { path: 7 })],
    ['a call of no name', refused('constructor', { path: '/a' })],
    ['a port out of range', refused('connect', { address: '127.0.0.1', port: 70_000 })],
  ])('%s asks about nothing', (_name, error) => {
    expect(asked(error)).toEqual([]);
  });

  it('names are those that the objects have, as far as they exist', () => {
    const root = realpathSync(temporaryDirectory());
    mkdirSync(join(root, 'real'));
    symlinkSync('real', join(root, 'link'));
    expect(asked(refused('mkdir', { path: join(root, 'link/new/x') }))).toEqual([`file_write ${root}/real/new/x`]);
  });

  it('a program is found as a shell finds it, and judged by its link as well', () => {
    const root = realpathSync(temporaryDirectory());
    writeFileSync(join(root, 'tool-3.1'), '', { mode: 0o755 });
    symlinkSync('tool-3.1', join(root, 'tool'));
    const before = process.env['PATH'];
    process.env['PATH'] = `${root}:${before}`;
    try {
      expect(questionsOf(refused('spawn tool', { path: 'tool', spawnargs: ['-v'] }))).toEqual([
        { action: 'shell_exec', program: `${root}/tool-3.1`, alias: `${root}/tool`, words: ['tool', '-v'] },
      ]);
    } finally {
      process.env['PATH'] = before;
    }
  });
});

describe('what a person can type', () => {
  it.each<[Asked, string]>([
    [{ action: 'file_read', path: '/a/.env' }, '/a/.env'],
    [{ action: 'file_read', path: "/a b/it's" }, `'/a b/it'\\''s'`],
    [{ action: 'file_read', path: '/a\u001b[2J' }, `'/a\\x1b[2J'`],
    [
      { action: 'shell_exec', program: '/bin/git', alias: undefined, words: ['git', 'commit', '-m', 'a b'] },
      `git commit -m 'a b'`,
    ],
  ])('%j', (question, words) => {
    expect(wordsFor(question)).toBe(words);
  });
});
