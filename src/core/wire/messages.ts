/**
 * Names and numbers that the supervisor (C) and the daemon (TypeScript) share: frames of the supervisor channel and of
 * the journal, actions, effects and sources of verdicts. `npm run generate` writes native-hooks/include/gk_wire.gen.h
 * from this file. A number is never reused or changed. Layout of a frame: docs/wire.md.
 */

export const FRAME_VERSION = 1;
export const FRAME_HEADER_BYTES = 16;
export const FRAME_MAX_BYTES = 65_536;

export const JOURNAL_MAGIC = 'GKJRNL\0\x01';
export const JOURNAL_HEADER_BYTES = 4096;
export const JOURNAL_SEGMENT_BYTES = 4 * 1024 * 1024;
/** In place of a record's length: the segment ends here, the next one continues. */
export const JOURNAL_SEGMENT_END = 0xffffffff;

/** Frame types. 1 to 15 are journal records, 16 and up travel on the supervisor channel. */
export const FRAME = {
  DECISION: 1,
  RUN_START: 2,
  RUN_END: 3,
  NOTE: 4,
  RESULT: 5,
  HELLO: 16,
  WELCOME: 17,
  KICK: 18,
  DRAINED: 19,
  CONNECTION: 20,
  IMAGE: 21,
  IMAGE_TAKEN: 22,
  KILL: 23,
  ENDED: 24,
} as const;

/** Field tags. `u`: unsigned 64-bit little-endian. `i`: signed. `b`: bytes. */
export const FIELD = {
  TIME_NS: { tag: 1, type: 'u' }, // CLOCK_REALTIME
  BOOT_NS: { tag: 2, type: 'u' }, // CLOCK_BOOTTIME
  PID: { tag: 3, type: 'u' }, // thread group id of the caller
  TID: { tag: 4, type: 'u' },
  PROGRAM: { tag: 5, type: 'b' }, // /proc/<pid>/exe
  ACTION: { tag: 6, type: 'u' },
  VERDICT: { tag: 7, type: 'u' },
  SOURCE: { tag: 8, type: 'u' },
  RULE: { tag: 9, type: 'u' }, // index into the image's rules; absent when no rule spoke
  PIERCED: { tag: 10, type: 'u' }, // rule that an override pierced
  TARGET: { tag: 11, type: 'b' }, // canonical path, Unix socket path or address text
  TARGET2: { tag: 12, type: 'b' }, // rename and link: the other name
  COMMAND: { tag: 13, type: 'b' }, // canonical command text of a spawn
  SYSCALL: { tag: 14, type: 'u' },
  REASON: { tag: 15, type: 'b' }, // code of a verdict that no rule gave, from REASON
  PORT: { tag: 16, type: 'u' },
  IMAGE_DIGEST: { tag: 17, type: 'b' }, // 32 bytes, SHA-256 of the policy image
  STATUS: { tag: 18, type: 'u' }, // wait status of the run's first process
  RUN: { tag: 19, type: 'b' },
  TOKEN: { tag: 20, type: 'b' },
  TEXT: { tag: 21, type: 'b' },
  ERRNO: { tag: 22, type: 'u' },
  SOURCE_PORT: { tag: 23, type: 'u' }, // local port of a redirected connection
  FAMILY: { tag: 24, type: 'u' }, // 4 or 6
  PATH: { tag: 25, type: 'b' },
  COUNT: { tag: 26, type: 'u' },
  SEGMENT: { tag: 27, type: 'u' },
  OFFSET: { tag: 28, type: 'u' },
  CWD: { tag: 29, type: 'b' },
  SIMULATE: { tag: 30, type: 'u' },
  KIND: { tag: 31, type: 'b' },
  ENFORCE: { tag: 32, type: 'b' },
  OF: { tag: 33, type: 'u' }, // number of the record that a result belongs to
  // By what else a command was judged (native-hooks/supervise/judge.h, gk_naming)
  ALIAS: { tag: 34, type: 'b' },
  CALLED: { tag: 35, type: 'b' },
  INTERPRETER: { tag: 36, type: 'b' },
  LINE: { tag: 37, type: 'b' },
  BY_INTERPRETER: { tag: 38, type: 'u' },
  MAY_WRITE: { tag: 39, type: 'b' },
} as const;

/** Actions of the policy, numbered as in the image. */
export const ACTION = {
  file_read: 0,
  file_write: 1,
  file_delete: 2,
  shell_exec: 3,
  network: 4,
  unix_socket: 5,
  tool_call: 6,
} as const;
export type ActionName = keyof typeof ACTION;

/** Effects in order of strictness: a larger one wins. */
export const EFFECT = { allow: 0, shadow: 1, ask: 2, deny: 3 } as const;
export type EffectName = keyof typeof EFFECT;

/** What a receipt says happened. */
export const VERDICT = { allow: 0, deny: 1, 'would-deny': 2 } as const;
export type VerdictName = keyof typeof VERDICT;

/** Who spoke. */
export const SOURCE = {
  rule: 0,
  default: 1, // no rule matched
  silence: 2, // an ask that nobody answered
  protection: 3, // built-in guard that no rule can lift
  inherited: 4, // helper of a command that an allow rule matched
  typed: 5, // the program that the user named after `--`
  launcher: 6, // shell or launcher; what it starts is judged by itself
  own: 7, // the run's own port, terminal or process
  internal: 8, // the call could not be judged: malformed, unreadable, out of resources
} as const;
export type SourceName = keyof typeof SOURCE;

/** Reason codes of verdicts that no rule gave. A closed list; the text users see is in core/errors. */
export const REASON = [
  'no-rule',
  'ask-unanswered',
  'self-protection',
  'foreign-process',
  'foreign-terminal',
  'device',
  'denied-identity',
  'move-loosens',
  'git-config',
  'git-link',
  'anonymous-program',
  'loader-program',
  'foreign-abi',
  'exec-mismatch',
  'unreadable-memory',
  'foreign-mount',
  'credentials',
  'journal-failed',
  'resources',
  'transient',
  'bind-address',
  'abstract-socket',
  'unhooked-program', // at the level of the hook: what would not load it is judged by nobody
] as const;
export type ReasonCode = (typeof REASON)[number];
