/**
 * Every x86_64 system call of the audited kernel range, with its treatment. The seccomp filter, the supervisor's
 * dispatch table and the coverage tests are all made from this table; a number that is not in it gets ENOSYS.
 *
 * Source of the numbers: arch/x86/entry/syscalls/syscall_64.tbl of Linux 6.18.
 */

/**
 * What a matching call gets: run it, put it before the supervisor, or refuse it with an errno (0: fake success). `look`: it changes and reads
 * nothing, so it runs, unless the policy hides names from the run: then it comes before the supervisor.
 */
export type Leaf = 'allow' | 'notify' | 'look' | { errno: Errno | 0 };

/** A test on one argument register. Arguments that the kernel reads as `int` are compared on their low 32 bits only. */
export type Check = {
  /** Index of the argument, 0 to 5. */
  arg: number;
  /** `int`: compare the low 32 bits. `long`: compare all 64. */
  width: 'int' | 'long';
  /** Bits taken into account before the comparison; all when absent. `int` width only. */
  mask?: number;
  /**
   * `in`: the masked value is one of `values`. `notIn`: it is none of them. `anyBit`: some masked bit is set. `hint`: it is a hint (hint.ts) of those that the
   * filter lets through.
   */
  test: 'in' | 'notIn' | 'anyBit' | 'hint';
  values?: readonly number[];
  gives: Leaf;
};

/** Checks run in order, the first that holds decides; `otherwise` when none does. */
export type Treatment = Leaf | { checks: readonly Check[]; otherwise: Leaf };

export type Errno = keyof typeof ERRNO;

export type SyscallEntry = { nr: number; name: string; treatment: Treatment };

/** The highest number that was audited; anything above it gets ENOSYS. */
export const AUDITED_MAX = 469;

/** errno values of asm-generic/errno-base.h and errno.h, those that the table uses. */
export const ERRNO = {
  EPERM: 1,
  EACCES: 13,
  EINVAL: 22,
  ENOSYS: 38,
  EPROTONOSUPPORT: 93,
  EOPNOTSUPP: 95,
  EAFNOSUPPORT: 97,
} as const;

const refuse = (errno: Errno): Leaf => ({ errno });
const int = (arg: number, test: Check['test'], values: readonly number[], gives: Leaf): Check => ({
  arg,
  width: 'int',
  test,
  values,
  gives,
});
const anyBit = (arg: number, mask: number, gives: Leaf): Check => ({ arg, width: 'int', test: 'anyBit', mask, gives });

// include/uapi/asm-generic/fcntl.h
const O_PATH = 0o10000000;
/** CLONE_NEWTIME shares its bit with the exit signal in clone(2), so only unshare(2) can ask for it. */
const CLONE_NEW_ANY = 0x7e020000;
const CLONE_NEWTIME = 0x80;
const MSG_FASTOPEN = 0x20000000;

/** ioctl commands that push into a terminal's input, change a file through a read-only descriptor, or freeze a disk. */
const REFUSED_IOCTLS = {
  TIOCSTI: 0x5412,
  TIOCLINUX: 0x541c,
  TIOCCONS: 0x541d,
  TIOCSETD: 0x5423,
  FS_IOC_SETFLAGS: 0x40086602,
  FS_IOC32_SETFLAGS: 0x40046602,
  FS_IOC_SETVERSION: 0x40087602,
  FS_IOC32_SETVERSION: 0x40047602,
  // ext4's own number for the same (fs/ext4/ext4.h).
  EXT4_IOC_SETVERSION: 0x40086604,
  EXT4_IOC32_SETVERSION: 0x40046604,
  FS_IOC_FSSETXATTR: 0x401c5820,
  FS_IOC_ENABLE_VERITY: 0x40806685,
  FS_IOC_SET_ENCRYPTION_POLICY: 0x800c6613,
  FS_IOC_SETFSLABEL: 0x41009432,
  FIDEDUPERANGE: 0xc0189436,
  FIFREEZE: 0xc0045877,
  FITHAW: 0xc0045878,
  FITRIM: 0xc0185879,
  TUNSETIFF: 0x400454ca,
  // Keys of the console that type what they are told, also after the run (include/uapi/linux/kd.h).
  KDSKBENT: 0x4b47,
  KDSKBSENT: 0x4b49,
  KDSKBDIACR: 0x4b4b,
  KDSETKEYCODE: 0x4b4d,
  KDSKBDIACRUC: 0x4bfb,
  // Snapshots and subvolumes need a descriptor for reading only: a tree, secrets and all, under another name.
  BTRFS_IOC_SNAP_CREATE: 0x50009401,
  BTRFS_IOC_SUBVOL_CREATE: 0x5000940e,
  BTRFS_IOC_SNAP_DESTROY: 0x5000940f,
  BTRFS_IOC_SNAP_CREATE_V2: 0x50009417,
  BTRFS_IOC_SUBVOL_CREATE_V2: 0x50009418,
  BTRFS_IOC_SUBVOL_SETFLAGS: 0x4008941a,
  BTRFS_IOC_SNAP_DESTROY_V2: 0x5000943f,
  BCH_IOCTL_SUBVOLUME_CREATE: 0x4020bc10,
  BCH_IOCTL_SUBVOLUME_DESTROY: 0x4020bc11,
  FAT_IOCTL_SET_ATTRIBUTES: 0x40047211,
} as const;

/** TCP fast open connects with the first send, without connect(2); the option is refused as an unknown one would be. */
const SOL_TCP = 6;
const TCP_FASTOPEN_CONNECT = 30;
/** A routing header sends the packets of a judged connection to any address on their way there (include/uapi/linux/in6.h). */
const SOL_IP = 0;
const SOL_IPV6 = 41;
const IP_OPTIONS = 4;
const IPV6_2292PKTOPTIONS = 6;
const IPV6_RTHDR = 57;

// include/linux/net.h, include/linux/socket.h, include/uapi/linux/in.h
const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;
/** The type argument also carries SOCK_NONBLOCK and SOCK_CLOEXEC. */
export const SOCK_TYPE_MASK = 0xf;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const SOCK_SEQPACKET = 5;
const IPPROTO_TCP = 6;
const NETLINK_ROUTE = 0;

// include/uapi/linux/resource.h, include/uapi/linux/ioprio.h
const PRIO_PROCESS = 0;
const IOPRIO_WHO_PROCESS = 1;

// include/uapi/linux/prctl.h
const PR_SET_DUMPABLE = 4;
const PR_SET_MM = 35;
const PR_SCHED_CORE = 62;

/** A call that acts on the caller itself when the pid argument is 0; any other pid is for the supervisor to judge. */
const pidArgument = (arg: number): Treatment => ({ checks: [int(arg, 'in', [0], 'allow')], otherwise: 'notify' });

/** Opening with O_PATH grants no data; every later use of such a descriptor is trapped, and ADDFD cannot carry one. */
const openUnlessPath = (flagsArg: number): Treatment => ({
  checks: [anyBit(flagsArg, O_PATH, 'allow')],
  otherwise: 'notify',
});

const noFastOpen = (flagsArg: number): Treatment => ({
  checks: [anyBit(flagsArg, MSG_FASTOPEN, refuse('EOPNOTSUPP'))],
  otherwise: 'allow',
});

/**
 * The two-register socket checks (family, then type and protocol) cannot be written as one flat list, so the filter
 * builder expands this marker; see {@link SOCKET_RULES}.
 */
export const SOCKET_CALLS = ['socket', 'socketpair'] as const;

/** Allowed (family, type, protocol) triples, and what every other triple of the family gets. */
export const SOCKET_RULES: readonly {
  family: number;
  allowed: readonly { type: number; protocols: readonly number[] }[];
  /** errno by type when the type is known but refused. */
  refusedTypes: readonly { type: number; errno: Errno }[];
  otherwise: Errno;
}[] = [
  {
    // Datagram sockets take an address with every send, from memory that another thread can change.
    family: AF_UNIX,
    allowed: [
      { type: SOCK_STREAM, protocols: [0, 1] },
      { type: SOCK_SEQPACKET, protocols: [0, 1] },
    ],
    refusedTypes: [
      { type: SOCK_DGRAM, errno: 'EACCES' },
      { type: SOCK_RAW, errno: 'EACCES' },
    ],
    otherwise: 'EPROTONOSUPPORT',
  },
  {
    family: AF_INET,
    allowed: [{ type: SOCK_STREAM, protocols: [0, IPPROTO_TCP] }],
    refusedTypes: [
      { type: SOCK_DGRAM, errno: 'EACCES' },
      { type: SOCK_RAW, errno: 'EPERM' },
    ],
    otherwise: 'EPROTONOSUPPORT',
  },
  {
    family: AF_INET6,
    allowed: [{ type: SOCK_STREAM, protocols: [0, IPPROTO_TCP] }],
    refusedTypes: [
      { type: SOCK_DGRAM, errno: 'EACCES' },
      { type: SOCK_RAW, errno: 'EPERM' },
    ],
    otherwise: 'EPROTONOSUPPORT',
  },
  {
    family: AF_NETLINK,
    allowed: [
      { type: SOCK_RAW, protocols: [NETLINK_ROUTE] },
      { type: SOCK_DGRAM, protocols: [NETLINK_ROUTE] },
    ],
    refusedTypes: [],
    otherwise: 'EPROTONOSUPPORT',
  },
];

const SPECIAL: Record<string, Treatment> = {
  open: openUnlessPath(1),
  openat: {
    checks: [{ arg: 2, width: 'int', test: 'hint', gives: 'allow' }, anyBit(2, O_PATH, 'allow')],
    otherwise: 'notify',
  },
  ioctl: {
    checks: [int(1, 'in', Object.values(REFUSED_IOCTLS), refuse('EPERM'))],
    otherwise: 'allow',
  },
  clone: { checks: [anyBit(0, CLONE_NEW_ANY, refuse('EPERM'))], otherwise: 'allow' },
  unshare: { checks: [anyBit(0, CLONE_NEW_ANY | CLONE_NEWTIME, refuse('EPERM'))], otherwise: 'allow' },
  sendto: noFastOpen(3),
  sendmsg: noFastOpen(2),
  sendmmsg: noFastOpen(3),
  // A process that hides its memory blinds the supervisor; agents such as ssh-agent ask for it and carry on.
  prctl: {
    checks: [
      int(0, 'in', [PR_SET_MM], refuse('EPERM')),
      int(0, 'in', [PR_SCHED_CORE], refuse('EINVAL')),
      int(0, 'notIn', [PR_SET_DUMPABLE], 'allow'),
      { arg: 1, width: 'long', test: 'in', values: [0], gives: { errno: 0 } },
    ],
    otherwise: 'allow',
  },
  setsockopt: {
    checks: [
      int(1, 'notIn', [SOL_TCP, SOL_IP, SOL_IPV6], 'allow'),
      int(2, 'in', [TCP_FASTOPEN_CONNECT], refuse('EOPNOTSUPP')),
      int(1, 'in', [SOL_TCP], 'allow'),
      int(2, 'in', [IP_OPTIONS, IPV6_2292PKTOPTIONS, IPV6_RTHDR], refuse('EPERM')),
    ],
    otherwise: 'allow',
  },
  // A group or a user takes in the supervisor and the daemon, whatever number is given.
  setpriority: {
    checks: [int(0, 'notIn', [PRIO_PROCESS], 'notify'), int(1, 'in', [0], 'allow')],
    otherwise: 'notify',
  },
  ioprio_set: {
    checks: [int(0, 'notIn', [IOPRIO_WHO_PROCESS], 'notify'), int(1, 'in', [0], 'allow')],
    otherwise: 'notify',
  },
  sched_setparam: pidArgument(0),
  sched_setscheduler: pidArgument(0),
  sched_setaffinity: pidArgument(0),
  sched_setattr: pidArgument(0),
  prlimit64: pidArgument(0),
  migrate_pages: { checks: [int(0, 'in', [0], 'allow')], otherwise: refuse('EPERM') },
  move_pages: { checks: [int(0, 'in', [0], 'allow')], otherwise: refuse('EPERM') },
};

/** Number, name and short treatment: `+` allow, `?` notify, `~` look, `*` see SPECIAL or SOCKET_RULES, else an errno name. */
const ROWS = `
0 read +|1 write +|2 open *|3 close +|4 stat ~|5 fstat +|6 lstat ~|7 poll +|8 lseek +|9 mmap +|10 mprotect +|11 munmap +
12 brk +|13 rt_sigaction +|14 rt_sigprocmask +|15 rt_sigreturn +|16 ioctl *|17 pread64 +|18 pwrite64 +|19 readv +
20 writev +|21 access ~|22 pipe +|23 select +|24 sched_yield +|25 mremap +|26 msync +|27 mincore +|28 madvise +
29 shmget ENOSYS|30 shmat ENOSYS|31 shmctl ENOSYS|32 dup +|33 dup2 +|34 pause +|35 nanosleep +|36 getitimer +|37 alarm +
38 setitimer +|39 getpid +|40 sendfile +|41 socket *|42 connect ?|43 accept +|44 sendto *|45 recvfrom +|46 sendmsg *
47 recvmsg +|48 shutdown +|49 bind ?|50 listen ?|51 getsockname +|52 getpeername +|53 socketpair *|54 setsockopt *
55 getsockopt +|56 clone *|57 fork +|58 vfork +|59 execve ?|60 exit +|61 wait4 +|62 kill +|63 uname +|64 semget ENOSYS
65 semop ENOSYS|66 semctl ENOSYS|67 shmdt ENOSYS|68 msgget ENOSYS|69 msgsnd ENOSYS|70 msgrcv ENOSYS|71 msgctl ENOSYS
72 fcntl +|73 flock +|74 fsync +|75 fdatasync +|76 truncate ?|77 ftruncate +|78 getdents ~|79 getcwd +|80 chdir +
81 fchdir +|82 rename ?|83 mkdir ?|84 rmdir ?|85 creat ?|86 link ?|87 unlink ?|88 symlink ?|89 readlink ~|90 chmod ?
91 fchmod ?|92 chown ?|93 fchown ?|94 lchown ?|95 umask +|96 gettimeofday +|97 getrlimit +|98 getrusage +|99 sysinfo +
100 times +|101 ptrace +|102 getuid +|103 syslog EPERM|104 getgid +|105 setuid +|106 setgid +|107 geteuid +|108 getegid +
109 setpgid +|110 getppid +|111 getpgrp +|112 setsid +|113 setreuid +|114 setregid +|115 getgroups +|116 setgroups +
117 setresuid +|118 getresuid +|119 setresgid +|120 getresgid +|121 getpgid +|122 setfsuid +|123 setfsgid +|124 getsid +
125 capget +|126 capset +|127 rt_sigpending +|128 rt_sigtimedwait +|129 rt_sigqueueinfo +|130 rt_sigsuspend +
131 sigaltstack +|132 utime ?|133 mknod ?|134 uselib ENOSYS|135 personality +|136 ustat ENOSYS|137 statfs +|138 fstatfs +
139 sysfs ENOSYS|140 getpriority +|141 setpriority *|142 sched_setparam *|143 sched_getparam +|144 sched_setscheduler *
145 sched_getscheduler +|146 sched_get_priority_max +|147 sched_get_priority_min +|148 sched_rr_get_interval +|149 mlock +
150 munlock +|151 mlockall +|152 munlockall +|153 vhangup EPERM|154 modify_ldt ENOSYS|155 pivot_root EPERM
156 _sysctl ENOSYS|157 prctl *|158 arch_prctl +|159 adjtimex +|160 setrlimit +|161 chroot EPERM|162 sync +|163 acct EPERM
164 settimeofday EPERM|165 mount EPERM|166 umount2 EPERM|167 swapon EPERM|168 swapoff EPERM|169 reboot EPERM
170 sethostname EPERM|171 setdomainname EPERM|172 iopl EPERM|173 ioperm EPERM|174 create_module ENOSYS
175 init_module EPERM|176 delete_module EPERM|177 get_kernel_syms ENOSYS|178 query_module ENOSYS|179 quotactl EPERM
180 nfsservctl ENOSYS|181 getpmsg ENOSYS|182 putpmsg ENOSYS|183 afs_syscall ENOSYS|184 tuxcall ENOSYS|185 security ENOSYS
186 gettid +|187 readahead +|188 setxattr ?|189 lsetxattr ?|190 fsetxattr ?|191 getxattr +|192 lgetxattr +|193 fgetxattr +
194 listxattr +|195 llistxattr +|196 flistxattr +|197 removexattr ?|198 lremovexattr ?|199 fremovexattr ?|200 tkill +
201 time +|202 futex +|203 sched_setaffinity *|204 sched_getaffinity +|205 set_thread_area +|206 io_setup +
207 io_destroy +|208 io_getevents +|209 io_submit +|210 io_cancel +|211 get_thread_area +|212 lookup_dcookie ENOSYS
213 epoll_create +|214 epoll_ctl_old ENOSYS|215 epoll_wait_old ENOSYS|216 remap_file_pages +|217 getdents64 ~
218 set_tid_address +|219 restart_syscall +|220 semtimedop ENOSYS|221 fadvise64 +|222 timer_create +|223 timer_settime +
224 timer_gettime +|225 timer_getoverrun +|226 timer_delete +|227 clock_settime EPERM|228 clock_gettime +|229 clock_getres +
230 clock_nanosleep +|231 exit_group +|232 epoll_wait +|233 epoll_ctl +|234 tgkill +|235 utimes ?|236 vserver ENOSYS
237 mbind +|238 set_mempolicy +|239 get_mempolicy +|240 mq_open ENOSYS|241 mq_unlink ENOSYS|242 mq_timedsend ENOSYS
243 mq_timedreceive ENOSYS|244 mq_notify ENOSYS|245 mq_getsetattr ENOSYS|246 kexec_load EPERM|247 waitid +
248 add_key ENOSYS|249 request_key ENOSYS|250 keyctl ENOSYS|251 ioprio_set *|252 ioprio_get +|253 inotify_init +
254 inotify_add_watch +|255 inotify_rm_watch +|256 migrate_pages *|257 openat *|258 mkdirat ?|259 mknodat ?|260 fchownat ?
261 futimesat ?|262 newfstatat ~|263 unlinkat ?|264 renameat ?|265 linkat ?|266 symlinkat ?|267 readlinkat ~
268 fchmodat ?|269 faccessat ~|270 pselect6 +|271 ppoll +|272 unshare *|273 set_robust_list +|274 get_robust_list +
275 splice +|276 tee +|277 sync_file_range +|278 vmsplice +|279 move_pages *|280 utimensat ?|281 epoll_pwait +
282 signalfd +|283 timerfd_create +|284 eventfd +|285 fallocate +|286 timerfd_settime +|287 timerfd_gettime +|288 accept4 +
289 signalfd4 +|290 eventfd2 +|291 epoll_create1 +|292 dup3 +|293 pipe2 +|294 inotify_init1 +|295 preadv +|296 pwritev +
297 rt_tgsigqueueinfo +|298 perf_event_open EACCES|299 recvmmsg +|300 fanotify_init ENOSYS|301 fanotify_mark ENOSYS
302 prlimit64 *|303 name_to_handle_at EOPNOTSUPP|304 open_by_handle_at EPERM|305 clock_adjtime +|306 syncfs +
307 sendmmsg *|308 setns EPERM|309 getcpu +|310 process_vm_readv +|311 process_vm_writev +|312 kcmp +
313 finit_module EPERM|314 sched_setattr *|315 sched_getattr +|316 renameat2 ?|317 seccomp +|318 getrandom +
319 memfd_create +|320 kexec_file_load EPERM|321 bpf EPERM|322 execveat ?|323 userfaultfd ENOSYS|324 membarrier +
325 mlock2 +|326 copy_file_range +|327 preadv2 +|328 pwritev2 +|329 pkey_mprotect +|330 pkey_alloc +|331 pkey_free +
332 statx ~|333 io_pgetevents +|334 rseq +|335 uretprobe +|336 uprobe +
424 pidfd_send_signal +|425 io_uring_setup ENOSYS|426 io_uring_enter ENOSYS|427 io_uring_register ENOSYS
428 open_tree ENOSYS|429 move_mount ENOSYS|430 fsopen ENOSYS|431 fsconfig ENOSYS|432 fsmount ENOSYS|433 fspick ENOSYS
434 pidfd_open +|435 clone3 ENOSYS|436 close_range +|437 openat2 ?|438 pidfd_getfd +|439 faccessat2 ~
440 process_madvise +|441 epoll_pwait2 +|442 mount_setattr ENOSYS|443 quotactl_fd EPERM|444 landlock_create_ruleset +
445 landlock_add_rule +|446 landlock_restrict_self +|447 memfd_secret ENOSYS|448 process_mrelease +|449 futex_waitv +
450 set_mempolicy_home_node +|451 cachestat +|452 fchmodat2 ?|453 map_shadow_stack +|454 futex_wake +|455 futex_wait +
456 futex_requeue +|457 statmount +|458 listmount +|459 lsm_get_self_attr +|460 lsm_set_self_attr EPERM
461 lsm_list_modules +|462 mseal +|463 setxattrat ?|464 getxattrat +|465 listxattrat +|466 removexattrat ?
467 open_tree_attr ENOSYS|468 file_getattr +|469 file_setattr ENOSYS
`;

function treatmentOf(name: string, mark: string): Treatment {
  if (mark === '+') return 'allow';
  if (mark === '?') return 'notify';
  if (mark === '~') return 'look';
  if (mark !== '*') return refuse(mark as Errno);
  if ((SOCKET_CALLS as readonly string[]).includes(name)) return refuse('EAFNOSUPPORT');
  const special = SPECIAL[name];
  if (special === undefined) throw new Error(`system call ${name} is marked special but has no entry`);
  return special;
}

/** All entries, by ascending number. */
export const SYSCALLS: readonly SyscallEntry[] = ROWS.trim()
  .split(/[\n|]/)
  .map((row) => {
    const [nr, name, mark] = row.trim().split(' ') as [string, string, string];
    return { nr: Number(nr), name, treatment: treatmentOf(name, mark) };
  });

/** Whether some arguments of the call reach the supervisor, in every run or in those with hidden names. */
export function reachesSupervisor(entry: SyscallEntry): boolean {
  const t = entry.treatment;
  if (typeof t === 'string') return t !== 'allow';
  if ('errno' in t) return false;
  return t.otherwise === 'notify' || t.checks.some((check) => check.gives === 'notify');
}
