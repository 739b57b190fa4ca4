/**
 * Shells and launchers: programs whose work is to start another program that the caller names, with the same rights. Allowing one allows nothing
 * yet, because what it starts is judged by itself. Not in the list: interpreters (python, node, perl), which run code of their own; programs
 * that start others as a side (find, tar, git, make, npm), whose rules say something about them; busybox, whose applets are one program; and
 * sudo, doas and su, which change rights. Sorted by bytes.
 */
export const LAUNCHERS: readonly string[] = [
  'ash',
  'bash',
  'chrt',
  'dash',
  'env',
  'fish',
  'ionice',
  'ksh',
  'mksh',
  'nice',
  'nohup',
  'rbash',
  'setsid',
  'sh',
  'stdbuf',
  'taskset',
  'time',
  'timeout',
  'xargs',
  'zsh',
];
