import type { Asked } from '../core/engine/answer.ts';
import { canonicalPath, findProgram, linkTo } from './places.ts';
import { hostQuestion } from './subjects.ts';

/** What Node writes into the errors of its calls; everything may be missing or of another type. */
export type ErrorFacts = {
  code?: unknown;
  syscall?: unknown;
  path?: unknown;
  dest?: unknown;
  address?: unknown;
  host?: unknown;
  hostname?: unknown;
  port?: unknown;
  spawnargs?: unknown;
  message?: unknown;
  stack?: unknown;
};

/**
 * What a failed call may have been refused for, the likeliest first. An error does not tell everything, an open for example not what for; so it is the
 * policy that says which of these it denies.
 */
export function questionsOf(error: ErrorFacts): Asked[] {
  if (error.code === 'ERR_PROXY_TUNNEL') return tunnelQuestions(String(error.message));
  const syscall = typeof error.syscall === 'string' ? error.syscall : '';
  if (error.code === 'EACCES') {
    if (/^spawn(Sync)?\b/.test(syscall)) return commandQuestions(error);
    if (syscall in PATHS) return pathQuestions(error, syscall);
    if (syscall === 'listen' && error.port === undefined) return socketQuestions(error, ['file_write', 'unix_socket']);
  }
  if (/^(getaddrinfo|query)/.test(syscall)) return nameQuestions(error.hostname);
  if (syscall === 'connect' && error.port === undefined) return socketQuestions(error, ['unix_socket']);
  if (syscall === 'connect') return asList(hostQuestion(error.address, error.port));
  if (error.code === 'ECONNRESET') return asList(hostQuestion(error.host, error.port));
  return [];
}

/** The names of a call of two names, and what happens to them: `path` is the first, `dest` the second. */
function pathQuestions(error: ErrorFacts, syscall: string): Asked[] {
  const steps = syscall === 'open' && isWriting(error.stack) ? [...PATHS['open']!].reverse() : PATHS[syscall]!;
  return steps.flatMap(([action, which]) => {
    const path = error[which];
    return typeof path === 'string' && path !== '' ? [{ action, path: canonicalPath(path) }] : [];
  });
}

/** Only the functions on the stack tell what a file was opened for. */
function isWriting(stack: unknown): boolean {
  return typeof stack === 'string' && /\b(write|append|copy)File|WriteStream|\bcpSync/.test(stack);
}

function commandQuestions({ path, spawnargs }: ErrorFacts): Asked[] {
  if (typeof path !== 'string' || path === '') return [];
  const found = findProgram(path);
  const program = canonicalPath(found);
  const alias = linkTo(found);
  const words = [path, ...(Array.isArray(spawnargs) ? spawnargs.map(String) : [])];
  return [{ action: 'shell_exec', program, alias: alias === program ? undefined : alias, words }];
}

/** Abstract names begin with a zero byte; rules do not speak of them. */
function socketQuestions({ address }: ErrorFacts, actions: readonly ('file_write' | 'unix_socket')[]): Asked[] {
  if (typeof address !== 'string' || address === '' || address.startsWith('\0')) return [];
  return actions.map((action) => ({ action, path: canonicalPath(address) }));
}

/** A name is looked up for no port in particular; the usual ones stand for all. */
function nameQuestions(name: unknown): Asked[] {
  return [443, 80].flatMap((port) => asList(hostQuestion(name, port)));
}

/** `Failed to establish tunnel to HOST:PORT via PROXY: …`, as Node's own proxy support puts it. */
function tunnelQuestions(message: string): Asked[] {
  const [, host, port] = /^Failed to establish tunnel to (\S+):(\d+) via /.exec(message) ?? [];
  return asList(hostQuestion(host, port));
}

const asList = <T>(value: T | undefined): T[] => (value === undefined ? [] : [value]);

type Step = readonly ['file_read' | 'file_write' | 'file_delete', 'path' | 'dest'];
const READ: readonly Step[] = [['file_read', 'path']];
const WRITE: readonly Step[] = [['file_write', 'path']];
const DELETE: readonly Step[] = [['file_delete', 'path']];
const MOVE: readonly Step[] = [
  ['file_write', 'dest'],
  ['file_delete', 'path'],
  ['file_write', 'path'],
  ['file_read', 'path'],
];

/** By libuv's name of the call. */
const PATHS: Readonly<Record<string, readonly Step[]>> = {
  __proto__: null as never,
  open: [...READ, ...WRITE],
  access: [...READ, ...WRITE],
  copyfile: [...READ, ['file_write', 'dest']],
  link: [['file_write', 'dest'], ...WRITE, ...READ],
  lstat: READ,
  mkdir: WRITE,
  mkdtemp: WRITE,
  opendir: READ,
  readlink: READ,
  realpath: READ,
  rename: MOVE,
  rm: DELETE,
  rmdir: DELETE,
  scandir: READ,
  stat: READ,
  statfs: READ,
  symlink: [['file_write', 'dest']],
  truncate: WRITE,
  unlink: DELETE,
  utime: WRITE,
  watch: READ,
};
