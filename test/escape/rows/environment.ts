import type { EscapeRow } from '../row.ts';

const read = { action: 'file_read', target: '{secret}' } as const;
const refused = { outside: 'works', inside: 'EACCES', layer: 'supervisor' } as const;

/** What would work if gatekeeper lived in the environment, the C library or the modules of a program. */
export const ENVIRONMENT: readonly EscapeRow[] = [
  {
    covers: ['A01'],
    title: 'a program without a C library',
    command: ['{nolibc}', '{secret}'],
    ...refused,
    receipt: read,
  },
  {
    covers: ['A02'],
    title: 'a program started without the variables that load hooks',
    command: ['/usr/bin/env', '-u', 'LD_PRELOAD', '-u', 'LD_AUDIT', '-u', 'NODE_OPTIONS', 'cat', '{secret}'],
    ...refused,
    receipt: read,
  },
  {
    covers: ['A02'],
    title: 'a program that replaces its own environment and starts itself again',
    command: ['python3', '-c', "import os; os.execve('/bin/cat', ['cat', '{secret}'], {})"],
    ...refused,
    receipt: read,
  },
  {
    covers: ['A02'],
    title: 'Node with empty options',
    command: ['env', 'NODE_OPTIONS=', 'node', '{scripts}/module.cjs', 'file', '{secret}'],
    ...refused,
    receipt: read,
  },
  {
    covers: ['A02', 'B40'],
    title: 'the loader, told to load no hook',
    command: ['/lib64/ld-linux-x86-64.so.2', '--preload', '', '/bin/cat', '{secret}'],
    ...refused,
    receipt: { action: 'shell_exec' },
  },
  {
    covers: ['A03', 'C14'],
    title: "a set-user-id program of root, which reads the passwords' file for its caller",
    // The account that asks for its own entry needs no password.
    command: ['sh', '-c', 'chage -l "$(id -un)" 2>&1 || { echo EACCES >&2; exit 1; }'],
    outside: 'works',
    inside: 'EACCES',
    layer: 'filter',
    user: 'ordinary',
  },
  ...(['stream', 'popen', 'spawn', 'second-library'] as const).map((way) => ({
    covers: ['A04'],
    title: `a call inside the C library: ${way}`,
    command: ['{library}', way, '{secret}'],
    ...refused,
    receipt: read,
  })),
  {
    covers: ['A04'],
    title: 'a library whose constructor reads the file',
    command: ['env', 'PROBE_SECRET={secret}', '{library}', 'load', '{addon}'],
    ...refused,
    receipt: read,
  },
  ...(['binding', 'worker', 'child', 'addon', 'promise', 'stream', 'import', 'copy'] as const).map((way) => ({
    covers: ['A06'],
    title: `around the modules of Node: ${way}`,
    command: ['env', 'PROBE_SECRET={secret}', 'node', '{scripts}/module.cjs', way, '{secret}', '{addon}'],
    ...refused,
    receipt: read,
  })),
  ...(
    [
      ['its configuration', 'mkdir', 'config/new'],
      ['its keys', 'create', 'state/keys/new'],
      ['its log', 'create', 'state/audit/new'],
      ['its token', 'create', 'run/control.token'],
    ] as const
  ).map(([what, technique, path]) => ({
    covers: ['A07', 'C21'],
    title: `writing a file of gatekeeper: ${what}`,
    technique,
    args: [`{gatekeeper}/${path}`],
    outside: { refusedHere: 'the daemon of the suite needs it' },
    inside: 'EACCES',
    layer: 'policy' as const,
    receipt: { action: 'file_write', target: `{gatekeeper}/${path}`, source: 'protection' },
    unharmed: `test ! -d {gatekeeper}/config/new && ! grep -qs changed {gatekeeper}/${path}`,
  })),
  {
    covers: ['A07', 'C21'],
    title: 'reading the token of the control interface',
    technique: 'openat',
    args: ['{gatekeeper}/run/control.token'],
    ...refused,
    receipt: { action: 'file_read', source: 'protection' },
  },
  {
    covers: ['A07', 'B11'],
    title: 'moving the home of gatekeeper',
    technique: 'move-directory',
    args: ['{gatekeeper}', '{gatekeeper}.moved'],
    outside: { refusedHere: 'the daemon of the suite would lose its home' },
    inside: 'EACCES',
    layer: 'policy',
    unharmed: 'test -d {gatekeeper}/state/keys',
  },
  {
    covers: ['A07', 'B14'],
    title: 'a hard link to the log',
    technique: 'link-onto',
    args: ['{project}/log', '{gatekeeper}/state/daemon.log'],
    outside: 'works',
    inside: ['EACCES', 'EPERM'],
    layer: 'policy',
    unharmed: 'test ! -e {project}/log',
  },
];
