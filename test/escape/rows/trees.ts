import type { EscapeRow } from '../row.ts';

const refused = { outside: 'works', inside: 'EACCES', layer: 'supervisor' } as const;
const read = { action: 'file_read', target: '{secret}' } as const;
const READ_ONLY = '0';
const READ_WRITE = '2';

/** Trees that are no files: procfs, sysfs, devices; and what the kernel does there with somebody's rights. */
export const TREES: readonly EscapeRow[] = [
  {
    covers: ['B04'],
    title: 'links of procfs that lead to the supervisor: by the leader, a thread and a child',
    technique: 'others-procfs',
    args: ['{project}/link'],
    outside: { refusedHere: 'there is no supervisor to be led to' },
    // They lead to whoever follows them.
    inside: 'ESRCH',
    layer: 'supervisor',
  },
  ...(['mem', 'environ', 'maps', 'fd/0', 'cwd/.', 'root/etc/hostname', 'exe', 'task', 'syscall'] as const).flatMap(
    (name) =>
      [READ_ONLY, ...(name === 'mem' ? [READ_WRITE] : [])].map((flags) => ({
        covers: ['B05', 'C01'],
        title: `looking into the supervisor, which is the parent: ${name}${flags === READ_WRITE ? ', for writing' : ''}`,
        technique: 'parent',
        args: [name, flags],
        outside: { refusedHere: 'the parent is the suite' },
        inside: ['EACCES', 'EPERM', 'ENOENT'],
        layer: 'supervisor' as const,
      })),
  ),
  {
    covers: ['B45'],
    title: "a path through a directory's descriptor in /dev/fd",
    technique: 'beneath-descriptor',
    args: ['{secret}'],
    ...refused,
    receipt: read,
  },
  {
    covers: ['B45'],
    title: 'standard input, opened again for writing',
    command: ['sh', '-c', 'exec <{guarded} && echo changed >/dev/stdin'],
    ...refused,
    receipt: { action: 'file_write', target: '{guarded}' },
    unharmed: 'grep -q untouched {guarded}',
  },
  ...(['fchmod-reader', 'futimens-reader', 'descriptor-upgrade'] as const).map((technique) => ({
    covers: ['B22', 'B45'],
    title: `the task file, through a descriptor for reading: ${technique}`,
    technique,
    args: ['{guarded}'],
    outside: 'works' as const,
    inside: technique === 'fchmod-reader' ? 'EPERM' : 'EACCES',
    layer: 'supervisor' as const,
    receipt: { action: 'file_write', target: '{guarded}' },
    unharmed: 'grep -q untouched {guarded}',
  })),
  {
    covers: ['B07', 'C27'],
    title: "another user's private file, which only a capability of root opens",
    technique: 'open-only',
    args: ['{project}/private', READ_ONLY],
    before: 'echo SECRET > {project}/private && chmod 600 {project}/private && chown 65534 {project}/private',
    ...refused,
    user: 'root',
  },
  {
    covers: ['B07', 'C27'],
    title: 'becoming another user',
    technique: 'new-user',
    args: ['65534'],
    outside: 'works',
    inside: 'EPERM',
    layer: 'landlock',
    user: 'root',
  },
  {
    covers: ['B32'],
    title: 'asking for core dumps, which the kernel writes without a call',
    technique: 'core-limit',
    args: [],
    outside: { refusedHere: 'the limit may be lower already' },
    inside: 'EPERM',
    layer: 'supervisor',
  },
  ...(
    [
      ['a sysctl', '/proc/sys/kernel/hostname'],
      ['the pattern of core dumps', '/proc/sys/kernel/core_pattern'],
      ['the file of kernel commands', '/proc/sysrq-trigger'],
      ['a control group', '/sys/fs/cgroup/cgroup.procs'],
      ['the log of the kernel', '/dev/kmsg'],
      ['the virtual machines', '/dev/kvm'],
      ['the network tunnels', '/dev/net/tun'],
      ['file systems of users', '/dev/fuse'],
      ['loop devices', '/dev/loop-control'],
      ['a disk', '/dev/loop0'],
      ['a console', '/dev/tty1'],
      ['memory', '/dev/mem'],
      ['input devices', '/dev/uinput'],
    ] as const
  ).map(([what, path]) => ({
    covers: ['B34'],
    title: `opening for writing what is no file: ${what}`,
    technique: 'open-only',
    args: [path, READ_WRITE],
    outside: { refusedHere: 'not every machine has it, nor every user the right' },
    inside: ['EACCES', 'ENOENT'],
    layer: 'supervisor' as const,
  })),
  {
    covers: ['B35'],
    title: 'making a block device',
    command: ['mknod', '{project}/disk', 'b', '7', '0'],
    outside: 'works',
    inside: 'EPERM',
    layer: 'supervisor',
    user: 'root',
    unharmed: 'test ! -e {project}/disk',
  },
];
