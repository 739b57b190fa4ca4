import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readQuestion } from '../../../src/cli/question.ts';

let directory: string;
beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'gk-question-')));
  mkdirSync(join(directory, 'bin'));
  writeFileSync(join(directory, 'bin', 'tool-1.2'), '#!/bin/sh\n');
  chmodSync(join(directory, 'bin', 'tool-1.2'), 0o755);
  symlinkSync('tool-1.2', join(directory, 'bin', 'tool'));
  symlinkSync('/etc', join(directory, 'link'));
  vi.stubEnv('PATH', `relative:${directory}/bin`);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true });
});

describe('readQuestion', () => {
  it.each([
    ['a relative path', 'a/b', () => join(directory, 'a/b')],
    ['a path with ..', 'a/../b', () => join(directory, 'b')],
    ['a path through a link', 'link/hostname', () => '/etc/hostname'],
    ['a path through a link to what is not there yet', 'link/none/such', () => '/etc/none/such'],
    ['the home directory', '~/.ssh/id', () => join(realpathSync(userInfo().homedir), '.ssh/id')],
    ['the root', '/', () => '/'],
  ])('takes %s for the object that it leads to', (_name, target, path) => {
    expect(readQuestion('file_read', [target], directory)).toEqual({ action: 'file_read', path: path() });
  });

  it('finds a program as a shell does, with the name of the link and that of the file', () => {
    expect(readQuestion('shell_exec', ['tool --x y'], directory)).toEqual({
      action: 'shell_exec',
      program: join(directory, 'bin', 'tool-1.2'),
      alias: join(directory, 'bin', 'tool'),
      words: ['tool', '--x', 'y'],
    });
  });

  it('leaves words that are given apart as they are', () => {
    expect(readQuestion('shell_exec', ['tool', 'a b'], directory)).toMatchObject({ words: ['tool', 'a b'] });
  });

  it('judges a program that is nowhere as if it stood in /usr/bin', () => {
    expect(readQuestion('shell_exec', ['nowhere-at-all'], directory)).toMatchObject({
      program: '/usr/bin/nowhere-at-all',
    });
  });

  it.each([
    ['example.com', { name: 'example.com', port: 443 }],
    ['Example.COM:80', { name: 'example.com', port: 80 }],
  ])('reads the destination %s', (target, expected) => {
    expect(readQuestion('network', [target], directory)).toEqual({ action: 'network', ...expected });
  });

  it('reads a request over plain HTTP, with its method and its path as rules see it', () => {
    const asked = { action: 'network', name: 'example.com', port: 8080, url: 'POST http://Example.com:8080/v%31/?q' };
    expect(readQuestion('network', ['POST', 'http://Example.com:8080/v%31/?q'], directory)).toEqual({
      ...asked,
      request: { method: 'POST', path: new TextEncoder().encode('/v1') },
    });
    expect(readQuestion('network', ['http://example.com/a/../b'], directory)).toMatchObject({
      request: { method: 'GET', path: undefined },
    });
    expect(() => readQuestion('network', ['http://a b/'], directory)).toThrow('the URL is not understood');
  });

  it('reads a request that TLS carries, which is judged as one where it is inspected', () => {
    const asked = { action: 'network', name: 'example.com', port: 443, tls: true, url: 'GET https://example.com/v1' };
    expect(readQuestion('network', ['https://example.com/v1'], directory)).toEqual({
      ...asked,
      request: { method: 'GET', path: new TextEncoder().encode('/v1') },
    });
    expect(readQuestion('network', ['PUT', 'https://[::1]:8443'], directory)).toMatchObject({ port: 8443, tls: true });
  });

  it.each(['127.0.0.1:80', '[::1]:443', '::1'])('reads the address %s', (target) => {
    expect(readQuestion('network', [target], directory)).toMatchObject({ address: expect.any(Uint8Array) });
  });

  it.each([
    ['an unknown action', 'file_raed', ['x'], 'GK_USAGE'],
    ['two paths', 'file_read', ['x', 'y'], 'GK_USAGE'],
    ['an empty path', 'file_read', [''], 'GK_USAGE'],
    ['an empty command', 'shell_exec', [' '], 'GK_USAGE'],
    ['a URL of another kind', 'network', ['ftp://example.com/'], 'GK_DESTINATION'],
    ['a port that is none', 'network', ['example.com:0'], 'GK_DESTINATION'],
  ])('refuses %s', (_name, action, words, code) => {
    expect(() => readQuestion(action, words, directory)).toThrow(expect.objectContaining({ code }));
  });
});
