import { AUDIT_ARCH_X86_64, BPF, type Instruction, RET } from '../../src/core/kernel/filter.ts';
import { ERRNO } from '../../src/core/kernel/syscalls.ts';

/** Runs the program as the kernel would: seccomp_data is nr, arch, instruction pointer, six 64-bit arguments. */
export function runFilter(
  code: readonly Instruction[],
  nr: number,
  args: readonly bigint[] = [],
  arch = AUDIT_ARCH_X86_64,
): string {
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, nr, true);
  data.setUint32(4, arch, true);
  args.forEach((value, index) => {
    data.setBigUint64(16 + index * 8, BigInt.asUintN(64, value), true);
  });
  let a = 0;
  for (let pc = 0; pc < code.length; ) {
    const { code: op, jt, jf, k } = code[pc++]!;
    if (op === BPF.LD_ABS) a = data.getUint32(k, true);
    else if (op === BPF.ALU_AND_K) a = (a & k) >>> 0;
    else if (op === BPF.JA) pc += k;
    else if (op === BPF.JEQ) pc += a === k ? jt : jf;
    else if (op === BPF.JGE) pc += a >= k ? jt : jf;
    else if (op === BPF.JSET) pc += (a & k) !== 0 ? jt : jf;
    else if (op === BPF.RET) return spell(k);
    else throw new Error(`unknown instruction ${op}`);
  }
  throw new Error('ran past the end');
}

function spell(value: number): string {
  if (value === RET.allow) return 'allow';
  if (value === RET.userNotify) return 'notify';
  if (value === RET.killProcess) return 'kill';
  const errno = value & 0xffff;
  return Object.entries(ERRNO).find(([, n]) => n === errno)?.[0] ?? `errno ${errno}`;
}
