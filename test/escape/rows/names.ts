import type { EscapeRow } from '../row.ts';

const refused = { outside: 'works', inside: 'EACCES', layer: 'supervisor' } as const;
const read = { action: 'file_read', target: '{secret}' } as const;
const untouched = 'grep -q untouched {guarded}';
const noHook = 'test ! -e {project}/.git/hooks/pre-commit && test ! -L {project}/.git/hooks/pre-commit';

/** Arguments and names that read like something else. */
export const NAMES: readonly EscapeRow[] = [
  ...(['wide-openat', 'wide-open'] as const).map((technique) => ({
    covers: ['B10'],
    title: `junk in the upper half of the registers: ${technique}`,
    technique,
    args: ['{secret}'],
    ...refused,
    receipt: read,
  })),
  {
    covers: ['B10', 'B11'],
    title: 'junk in the upper half of the registers: wide-rename',
    technique: 'wide-rename',
    args: ['{secret}', '{project}/notes'],
    ...refused,
    unharmed: 'test -e {secret}',
  },
  {
    covers: ['B10', 'D02'],
    title: 'junk in the upper half of the registers: wide-socket',
    technique: 'wide-socket',
    args: [],
    outside: 'works',
    inside: 'EACCES',
    layer: 'filter',
  },
  {
    covers: ['B08'],
    title: 'a thread with a working directory of its own',
    technique: 'own-directory',
    args: ['{project}/.vscode', 'tasks.json', '{project}'],
    before: 'echo harmless > {project}/tasks.json',
    ...refused,
    unharmed: untouched,
  },
  {
    covers: ['B02', 'B29'],
    title: 'a link whose name is no text',
    technique: 'bytes',
    args: ['{project}', '{secret}'],
    ...refused,
    receipt: read,
  },
  ...(
    [
      ['a line break', 'one\ntwo'],
      ['the mark of deleted files', '.vscode (deleted)'],
      ['colours', '\x1b[2K\rdirectory'],
      ['255 bytes', 'x'.repeat(255)],
      ['dots', '...'],
      ['a blank at the end', 'directory '],
    ] as const
  ).map(([what, name]) => ({
    covers: ['B25'],
    title: `a secret in a directory whose name has ${what}`,
    technique: 'odd-directory',
    args: ['{project}', name, '.env'],
    ...refused,
    receipt: { action: 'file_read' },
  })),
  {
    covers: ['B25'],
    title: 'a secret deeper than a path can say',
    technique: 'deep-directory',
    args: ['{project}', '.env'],
    outside: 'works',
    // What has no canonical path is not made in the first place.
    inside: ['EACCES', 'ENAMETOOLONG'],
    layer: 'supervisor',
  },
  ...(
    [
      ['a link and two dots behind it', '{project}/link/../tasks.json'],
      ['slashes and dots', '{project}//./.vscode/.//tasks.json'],
      ['two dots at the root', '/../../{project}/.vscode/tasks.json'],
      ['a directory and back', '{project}/.vscode/../.vscode/deep/../tasks.json'],
    ] as const
  ).map(([what, path]) => ({
    covers: ['B16', 'B30'],
    title: `a path that is something else as text: ${what}`,
    technique: 'write',
    args: [path],
    before: 'mkdir {project}/.vscode/deep && ln -s .vscode/deep {project}/link && echo harmless > {project}/tasks.json',
    ...refused,
    receipt: { action: 'file_write', target: '{guarded}' },
    unharmed: untouched,
  })),
  ...(['create', 'creat'] as const).map((technique) => ({
    covers: ['B17'],
    title: `making a file through a link that leads nowhere: ${technique}`,
    technique,
    args: ['{project}/dangling'],
    before: 'mkdir -p {project}/.git/hooks && ln -s .git/hooks/pre-commit {project}/dangling',
    ...refused,
    receipt: { action: 'file_write' },
    unharmed: noHook,
  })),
  {
    covers: ['B17'],
    title: 'making a socket where a link leads nowhere',
    technique: 'socket',
    args: ['{project}/dangling'],
    before: 'mkdir -p {project}/.git/hooks && ln -s .git/hooks/pre-commit {project}/dangling',
    outside: { refusedHere: 'the kernel does not follow the link' },
    inside: 'EADDRINUSE',
    layer: 'supervisor',
    unharmed: noHook,
  },
  {
    covers: ['B14'],
    title: 'writing through a hard link that was planted before the run',
    technique: 'write',
    args: ['{project}/planted'],
    before: 'ln {guarded} {project}/planted',
    ...refused,
    receipt: { action: 'file_write', target: '{project}/planted' },
    unharmed: untouched,
  },
  ...(
    [
      ['mkdir, then the file', 'mkdir .vscode && echo x > .vscode/launch.json'],
      [
        'a prepared directory, moved',
        'mkdir mine && echo x > mine/launch.json && mv mine .vscode && cat .vscode/launch.json',
      ],
      ['a link', 'mkdir mine && echo x > mine/launch.json && ln -s mine .vscode'],
      ['a copy', 'mkdir mine && echo x > mine/launch.json && cp -r mine .vscode'],
      [
        'an archive',
        'mkdir mine && echo x > mine/launch.json && tar cf a.tar --transform s/mine/.vscode/ mine && tar xf a.tar 2>said || { grep -m1 Permission.denied said >&2; exit 1; }',
      ],
    ] as const
  ).map(([what, script]) => ({
    covers: ['B12'],
    title: `making a task file where there is none: ${what}`,
    command: ['sh', '-c', script],
    before: 'rm -r {project}/.vscode',
    outside: 'works' as const,
    // The program's last words, whichever tool they come from.
    inside: 'EACCES',
    layer: 'supervisor' as const,
    unharmed: 'test ! -e {project}/.vscode/launch.json',
  })),
  {
    covers: ['B11'],
    title: 'moving a repository away, changing its hooks, moving it back',
    command: ['sh', '-c', 'mv .git g2 && echo x > g2/hooks/pre-commit && mv g2 .git'],
    before: 'mkdir -p {project}/.git/hooks',
    ...refused,
    unharmed: noHook,
  },
  ...(
    [
      ['move-directory', ['{project}/.vscode', '{project}/moved']],
      ['swap', ['{project}/mine', '{project}/.vscode']],
      ['move-directory', ['{project}', '{project}.moved']],
    ] as const
  ).map(([technique, args]) => ({
    covers: ['B11'],
    title: `moving what holds a protected file: ${technique} of ${args[0]}`,
    technique,
    args,
    before: 'mkdir {project}/mine',
    outside: args[0] === '{project}' ? { refusedHere: 'the suite would lose the project' } : ('works' as const),
    inside: ['EACCES', 'EBUSY', 'EPERM'],
    layer: 'supervisor' as const,
    unharmed: untouched,
  })),
  {
    covers: ['B13'],
    title: 'a repository whose directory lies elsewhere',
    command: ['git', 'init', '-q', '--separate-git-dir', '{project}/elsewhere', '{project}'],
    outside: 'works',
    // The file that says so is taken away as soon as it is written.
    inside: 'it worked',
    layer: 'supervisor',
    receipt: { action: 'file_write', source: 'protection', target: '{project}/.git' },
    unharmed: 'test ! -e {project}/.git',
  },
];
