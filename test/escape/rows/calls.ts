import type { EscapeRow } from '../row.ts';

const guardedUntouched = 'grep -q untouched {guarded} && test "$(stat -c %a-%h {guarded})" = 644-1';

/** Ordinary calls in each of their forms, and the calls that open or mount in other ways. */
export const CALLS: readonly EscapeRow[] = [
  ...(
    [
      [
        'EACCES',
        'truncate utime utimes futimesat utimensat rename renameat renameat2 unlink unlinkat rename-onto renameat-onto',
      ],
      ['EPERM', 'chmod fchmodat fchmodat2 chown lchown fchownat'],
    ] as const
  ).flatMap(([inside, names]) =>
    names.split(' ').map((name) => ({
      covers: ['B18'],
      title: `changing a task file by the plain call ${name}`,
      technique: 'call',
      args: [name, '{guarded}', name.endsWith('-onto') ? '{ok}' : '{project}/new'],
      outside: 'works' as const,
      inside,
      layer: 'supervisor' as const,
      unharmed: guardedUntouched,
    })),
  ),
  ...(
    [
      ['creat', ''],
      ['mkdir', ''],
      ['mkdirat', ''],
      ['mknod', ''],
      ['mknodat', ''],
      ['symlink', ''],
      ['symlinkat', ''],
      ['link-onto', ''],
      ['linkat-onto', ''],
      ['renameat2-onto', ''],
    ] as const
  ).map(([name]) => ({
    covers: ['B18', 'B12'],
    title: `making a task file by the plain call ${name}`,
    technique: 'call',
    args: [name, '{project}/.vscode/launch.json', '{ok}'],
    outside: 'works' as const,
    inside: 'EACCES',
    layer: 'supervisor' as const,
    receipt: { action: 'file_write', target: '{project}/.vscode/launch.json' },
    unharmed: 'test ! -e {project}/.vscode/launch.json && test ! -L {project}/.vscode/launch.json',
  })),
  ...(['rmdir', 'unlinkat-directory'] as const).map((name) => ({
    covers: ['B18'],
    title: `removing a protected directory by the plain call ${name}`,
    technique: 'call',
    args: [name, '{project}/.vscode/deep', '-'],
    before: 'mkdir {project}/.vscode/deep',
    outside: 'works' as const,
    inside: 'EACCES',
    layer: 'supervisor' as const,
    receipt: { action: 'file_delete', target: '{project}/.vscode/deep' },
    unharmed: 'test -d {project}/.vscode/deep',
  })),
  ...['setxattr', 'lsetxattr', 'setxattrat', 'removexattr', 'lremovexattr', 'removexattrat'].map((name) => ({
    covers: ['B18'],
    title: `changing attributes of a task file by the plain call ${name}`,
    technique: 'call',
    args: [name, '{guarded}', '-'],
    outside: { refusedHere: 'not every file system has user attributes, nor every kernel the call' },
    inside: ['EACCES', 'ENOSYS'],
    layer: 'supervisor' as const,
    unharmed: '! getfattr -n user.probe {guarded} 2>/dev/null',
  })),
  ...(
    [
      ['fchmod', 'EPERM'],
      ['fchmodat2-empty', 'EPERM'],
      ['fchown', 'EPERM'],
      ['fchownat-empty', 'EPERM'],
      ['futimens', 'EACCES'],
    ] as const
  ).map(([name, inside]) => ({
    covers: ['B22'],
    title: `changing a task file through a descriptor for reading: ${name}`,
    technique: 'call',
    args: [name, '{guarded}', '-'],
    outside: 'works' as const,
    inside,
    layer: 'supervisor' as const,
    receipt: { action: 'file_write', target: '{guarded}' },
    unharmed: guardedUntouched,
  })),
  ...(
    [
      ['fsetxattr', ['EACCES']],
      ['fremovexattr', ['EACCES']],
      ['set-flags', ['EPERM', 'EACCES', 'ENOTTY']],
    ] as const
  ).map(([name, inside]) => ({
    covers: ['B22'],
    title: `changing a task file through a descriptor for reading: ${name}`,
    technique: 'call',
    args: [name, '{guarded}', '-'],
    outside: { refusedHere: 'not every file system has them' },
    inside,
    layer: 'supervisor' as const,
    unharmed: guardedUntouched,
  })),
  ...(
    [
      ['fsopen', 'ENOSYS', 'ordinary users may not'],
      ['fspick', 'ENOSYS', 'ordinary users may not'],
      ['move-mount', 'ENOSYS', 'ordinary users may not'],
      ['mount-setattr', 'ENOSYS', 'ordinary users may not'],
      ['open-tree-clone', 'ENOSYS', 'ordinary users may not'],
      ['open-tree-attr', 'ENOSYS', 'ordinary users may not'],
      ['mount', 'EPERM', 'ordinary users may not, and it would change the machine'],
      ['umount', 'EPERM', 'ordinary users may not'],
      ['pivot-root', 'EPERM', 'ordinary users may not'],
      ['chroot', 'EPERM', 'ordinary users may not'],
    ] as const
  ).map(([name, inside, refusedHere]) => ({
    covers: ['B26'],
    title: `mounts and roots by the plain call ${name}`,
    technique: 'call',
    args: [name, '{project}', '{project}/mine'],
    before: 'mkdir {project}/mine',
    outside: { refusedHere },
    inside,
    layer: 'filter' as const,
  })),
  {
    covers: ['B26', 'C25'],
    title: 'a user namespace, and a bind mount in it',
    command: ['unshare', '-Urm', 'sh', '-c', 'mkdir mine && mount --bind .vscode mine && cat mine/tasks.json'],
    outside: { refusedHere: 'some distributions refuse namespaces to ordinary users' },
    inside: 'EPERM',
    layer: 'filter',
  },
  ...(
    [
      ['swapon', 'EPERM', 'ordinary users may not'],
      ['acct', 'EPERM', 'ordinary users may not'],
      ['quotactl', 'EPERM', 'ordinary users may not'],
      ['file-setattr', 'ENOSYS', 'it is new in Linux 6.17'],
    ] as const
  ).map(([name, inside, refusedHere]) => ({
    covers: ['B18'],
    title: `a call that writes behind the file system's back: ${name}`,
    technique: 'call',
    args: [name, '{guarded}', '-'],
    outside: { refusedHere },
    inside,
    layer: 'filter' as const,
    unharmed: guardedUntouched,
  })),
  ...(
    [
      ['name-to-handle', 'EOPNOTSUPP', 'the buffer of the call is not a good one'],
      ['open-by-handle', 'EPERM', 'ordinary users may not'],
      ['message-queue', 'ENOSYS', 'the queue does not exist'],
      ['memfd-secret', 'ENOSYS', 'not every kernel has it'],
      ['userfaultfd', 'ENOSYS', 'ordinary users may not everywhere'],
    ] as const
  ).map(([name, inside, refusedHere]) => ({
    covers: name === 'userfaultfd' ? ['B28', 'E05'] : ['B28'],
    title: `opening without opening: ${name}`,
    technique: 'call',
    args: [name, '{secret}', '-'],
    outside: { refusedHere },
    inside,
    layer: 'filter' as const,
  })),
  {
    covers: ['B37'],
    title: 'watching whole file systems',
    technique: 'call',
    args: ['fanotify', '{secret}', '-'],
    outside: 'works',
    inside: 'ENOSYS',
    layer: 'filter',
  },
  {
    covers: ['B19'],
    title: 'every number above the last known call',
    technique: 'new-calls',
    args: [],
    outside: { refusedHere: 'a kernel that has none of them cannot show it' },
    inside: 'ENOSYS',
    layer: 'filter',
  },
  {
    covers: ['B20'],
    title: 'a 32-bit program',
    command: ['sh', '-c', 'exec {project}/program'],
    before: 'python3 {scripts}/program32.py {project}/program',
    outside: 'works',
    inside: 'ENOEXEC',
    layer: 'supervisor',
  },
  ...(
    [
      [
        'a nameless file in a protected directory',
        'nameless-file',
        ['{project}/.vscode/launch.json', '{project}/.vscode'],
      ],
      ['a nameless file elsewhere', 'nameless-file', ['{project}/.vscode/launch.json', '{project}']],
    ] as const
  ).map(([what, technique, args]) => ({
    covers: ['B24'],
    title: `publishing ${what} under a protected name`,
    technique,
    args,
    outside: 'works' as const,
    inside: 'EACCES',
    layer: 'supervisor' as const,
    unharmed: 'test ! -e {project}/.vscode/launch.json',
  })),
];
