import { describe, expect, it } from 'vitest';
import { AUDIT_ARCH_X86_64, BPF, buildFilter, X32_BIT } from '../../../../src/core/kernel/filter.ts';
import { AUDITED_MAX, SYSCALLS } from '../../../../src/core/kernel/syscalls.ts';
import { runFilter } from '../../../support/run-filter.ts';

const program = buildFilter();
const number = new Map(SYSCALLS.map((entry) => [entry.name, entry.nr]));

const run = (nr: number, args: readonly bigint[] = [], arch = AUDIT_ARCH_X86_64, code = program): string =>
  runFilter(code, nr, args, arch);
const call = (name: string, ...args: bigint[]): string => run(number.get(name)!, args);

describe('the seccomp program', () => {
  it('fits into the kernel limit and every jump lands inside it', () => {
    expect(program.length).toBeLessThanOrEqual(4096);
    program.forEach((instruction, index) => {
      if (instruction.code === BPF.RET || instruction.code === BPF.LD_ABS || instruction.code === BPF.ALU_AND_K) return;
      const reach = instruction.code === BPF.JA ? [instruction.k] : [instruction.jt, instruction.jf];
      for (const distance of reach) expect(index + 1 + distance).toBeLessThan(program.length);
      expect(Math.max(instruction.jt, instruction.jf)).toBeLessThanOrEqual(255);
    });
  });

  it('gives every plain row of the table its treatment', () => {
    for (const { nr, name, treatment } of SYSCALLS) {
      if (name === 'socket' || name === 'socketpair') continue;
      if (treatment === 'look') expect(`${name} ${run(nr)}`).toBe(`${name} allow`);
      else if (typeof treatment === 'string') expect(`${name} ${run(nr)}`).toBe(`${name} ${treatment}`);
      else if ('errno' in treatment) expect(`${name} ${run(nr)}`).toBe(`${name} ${treatment.errno}`);
    }
  });

  it('puts what only looks before the supervisor where names are hidden, and differs in nothing else', () => {
    const hiding = buildFilter({ hiding: true });
    const looks = SYSCALLS.filter(({ treatment }) => treatment === 'look').map(({ name }) => name);
    expect(looks).toEqual(expect.arrayContaining(['stat', 'statx', 'faccessat2', 'readlinkat', 'getdents64']));
    const differing = SYSCALLS.filter(({ nr }) => run(nr) !== run(nr, [], AUDIT_ARCH_X86_64, hiding));
    expect(differing.map(({ name }) => name)).toEqual(looks);
    for (const { nr } of differing) expect(run(nr, [], AUDIT_ARCH_X86_64, hiding)).toBe('notify');
  });

  it('answers ENOSYS for holes in the table, numbers above the audited range and x32 calls', () => {
    const known = new Set(SYSCALLS.map((entry) => entry.nr));
    for (let nr = 0; nr < 1000; nr++) if (!known.has(nr)) expect(run(nr)).toBe('ENOSYS');
    expect(Math.max(...known)).toBe(AUDITED_MAX);
    for (const nr of [X32_BIT, X32_BIT | 257, X32_BIT | 520, 0x7fffffff, 0xffffffff]) expect(run(nr)).toBe('ENOSYS');
  });

  it('kills callers of a foreign architecture', () => {
    for (const arch of [0x40000003, 0xc00000b7, 0]) expect(run(257, [], arch)).toBe('kill');
  });

  const rows: readonly [what: string, name: string, args: readonly bigint[], expected: string][] = [
    ['an ordinary openat', 'openat', [0n, 0n, 0n], 'notify'],
    ['openat with O_PATH', 'openat', [0n, 0n, 0o10000000n], 'allow'],
    ['openat with O_PATH only in the upper half', 'openat', [0n, 0n, 0o10000000n << 32n], 'notify'],
    ['open with O_PATH', 'open', [0n, 0o10200000n], 'allow'],
    ['TIOCSTI', 'ioctl', [0n, 0x5412n], 'EPERM'],
    ['TIOCSTI with high bits', 'ioctl', [0n, (1n << 32n) | 0x5412n], 'EPERM'],
    ['setting file flags', 'ioctl', [3n, 0x40086602n], 'EPERM'],
    ['setting the generation of an inode', 'ioctl', [3n, 0x40086604n], 'EPERM'],
    ['TCGETS', 'ioctl', [0n, 0x5401n], 'allow'],
    ['a TCP socket', 'socket', [2n, 1n, 0n], 'allow'],
    ['a TCP socket with flags', 'socket', [2n, 0o2004001n, 6n], 'allow'],
    ['a UDP socket', 'socket', [2n, 2n, 0n], 'EACCES'],
    ['a UDP socket over IPv6', 'socket', [10n, 2n, 17n], 'EACCES'],
    ['an MPTCP socket', 'socket', [2n, 1n, 262n], 'EPROTONOSUPPORT'],
    ['an SCTP socket', 'socket', [2n, 1n, 132n], 'EPROTONOSUPPORT'],
    ['a raw socket', 'socket', [2n, 3n, 255n], 'EPERM'],
    ['a packet socket', 'socket', [17n, 3n, 0n], 'EAFNOSUPPORT'],
    ['a packet socket with high bits', 'socket', [(1n << 32n) | 17n, 3n, 0n], 'EAFNOSUPPORT'],
    ['a vsock socket', 'socket', [40n, 1n, 0n], 'EAFNOSUPPORT'],
    ['a Unix stream socket', 'socket', [1n, 1n, 0n], 'allow'],
    ['a Unix datagram socket', 'socket', [1n, 2n, 0n], 'EACCES'],
    ['route netlink', 'socket', [16n, 3n, 0n], 'allow'],
    ['socket diagnostics netlink', 'socket', [16n, 3n, 4n], 'EPROTONOSUPPORT'],
    ['a Unix pair', 'socketpair', [1n, 1n, 0n], 'allow'],
    ['an INET pair', 'socketpair', [2n, 1n, 0n], 'EAFNOSUPPORT'],
    ['a plain fork', 'clone', [0x1200011n], 'allow'],
    ['a user namespace', 'clone', [0x10000011n], 'EPERM'],
    ['unshare of a time namespace', 'unshare', [0x80n], 'EPERM'],
    ['unshare of the file table', 'unshare', [0x400n], 'allow'],
    ['TCP fast open by sendto', 'sendto', [0n, 0n, 0n, 0x20000000n], 'EOPNOTSUPP'],
    ['TCP fast open by sendmsg', 'sendmsg', [0n, 0n, 0x20004000n], 'EOPNOTSUPP'],
    ['TCP fast open by sendmmsg', 'sendmmsg', [0n, 0n, 0n, 0x20000000n], 'EOPNOTSUPP'],
    ['an ordinary send', 'sendmsg', [0n, 0n, 0x4000n], 'allow'],
    ['TCP fast open by option', 'setsockopt', [0n, 6n, 30n], 'EOPNOTSUPP'],
    ['another TCP option', 'setsockopt', [0n, 6n, 1n], 'allow'],
    ['option 30 of another level', 'setsockopt', [0n, 1n, 30n], 'allow'],
    ['becoming undumpable', 'prctl', [4n, 0n], 'errno 0'],
    ['becoming undumpable with junk in the register', 'prctl', [(7n << 32n) | 4n, 0n], 'errno 0'],
    ['becoming dumpable', 'prctl', [4n, 1n], 'allow'],
    ['rewriting the memory map', 'prctl', [35n, 0n], 'EPERM'],
    ['naming a thread', 'prctl', [15n, 0n], 'allow'],
    ['own limits', 'prlimit64', [0n], 'allow'],
    ['foreign limits', 'prlimit64', [77n], 'notify'],
    ['own priority', 'setpriority', [0n, 0n], 'allow'],
    ['foreign priority', 'setpriority', [0n, 77n], 'notify'],
    ['priority of our own group, where the supervisor is', 'setpriority', [1n, 0n], 'notify'],
    ['priority of all that the user runs', 'setpriority', [2n, 0n], 'notify'],
    ['own I/O priority', 'ioprio_set', [1n, 0n], 'allow'],
    ['I/O priority of all that the user runs', 'ioprio_set', [3n, 0n], 'notify'],
  ];
  it.each(rows)('%s', (_what, name, args, expected) => {
    expect(call(name, ...args)).toBe(expected);
  });

  it('refuses every socket family, type and protocol that is not in the rules', () => {
    const allowed = new Set<string>();
    for (let family = 0; family <= 46; family++)
      for (let type = 0; type <= 10; type++)
        for (const protocol of [0, 1, 2, 4, 6, 15, 17, 33, 58, 132, 136, 255, 256, 262])
          if (call('socket', BigInt(family), BigInt(type), BigInt(protocol)) === 'allow')
            allowed.add(`${family}/${type}/${protocol}`);
    expect([...allowed].sort()).toEqual(
      ['1/1/0', '1/1/1', '1/5/0', '1/5/1', '2/1/0', '2/1/6', '10/1/0', '10/1/6', '16/2/0', '16/3/0'].sort(),
    );
  });
});
