/**
 * The seccomp program, made from the system call table: a binary search over the number, then the argument checks of
 * that call. Classic BPF as in seccomp(2); layout of seccomp_data and return values from include/uapi/linux/seccomp.h.
 */
import { HINT_FLAGS, HINT_MAGIC, type Hints, O_DIRECTORY } from './hint.ts';
import {
  type Check,
  ERRNO,
  type Leaf,
  SOCK_TYPE_MASK,
  SOCKET_RULES,
  SYSCALLS,
  type SyscallEntry,
  type Treatment,
} from './syscalls.ts';

/** One classic BPF instruction, as `struct sock_filter`. */
export type Instruction = { code: number; jt: number; jf: number; k: number };

export const AUDIT_ARCH_X86_64 = 0xc000003e;
/** Numbers with this bit are x32 calls, which share the arch value with x86_64. */
export const X32_BIT = 0x40000000;

export const RET = {
  killProcess: 0x80000000,
  errno: 0x00050000,
  userNotify: 0x7fc00000,
  allow: 0x7fff0000,
} as const;

export const BPF = {
  LD_ABS: 0x20,
  ALU_AND_K: 0x54,
  JA: 0x05,
  JEQ: 0x15,
  JGE: 0x35,
  JSET: 0x45,
  RET: 0x06,
} as const;

/** Offsets in struct seccomp_data. */
const OFFSET_NR = 0;
const OFFSET_ARCH = 4;
const argumentLow = (arg: number): number => 16 + arg * 8;
const argumentHigh = (arg: number): number => argumentLow(arg) + 4;
/** A conditional jump reaches at most this far; further goes through an unconditional one. */
const MAX_CONDITIONAL_JUMP = 255;

export type FilterOptions = {
  /** For runs from which names are hidden: looks come before the supervisor. */
  hiding?: boolean;
  /** Opens that are let through without it. */
  hints?: Hints;
};

/** The whole program, at most 4096 instructions (BPF_MAXINSNS). */
export function buildFilter(options: FilterOptions = {}, entries: readonly SyscallEntry[] = SYSCALLS): Instruction[] {
  const program = new BackwardProgram(options);
  const kill = program.ret(RET.killProcess);
  const enosys = program.ret(RET.errno | ERRNO.ENOSYS);
  const search = buildSearch(program, equalRanges(entries), enosys);
  const notX32 = program.jump(BPF.JGE, X32_BIT, enosys, search);
  const loadNr = program.load(OFFSET_NR, notX32);
  const archKnown = program.jump(BPF.JEQ, AUDIT_ARCH_X86_64, loadNr, kill);
  program.load(OFFSET_ARCH, archKnown);
  return program.finish();
}

type Range = { from: number; build: (program: BackwardProgram) => Label };

/** Neighbouring numbers with the same plain treatment become one range; gaps and the end become ENOSYS. */
function equalRanges(entries: readonly SyscallEntry[]): Range[] {
  const ranges: { from: number; key: string; build: Range['build'] }[] = [];
  const push = (from: number, key: string, build: Range['build']): void => {
    if (ranges.at(-1)?.key !== key) ranges.push({ from, key, build });
  };
  const unknown: Leaf = { errno: 'ENOSYS' };
  let next = 0;
  for (const entry of entries) {
    if (entry.nr > next) push(next, JSON.stringify(unknown), (program) => program.leaf(unknown));
    push(entry.nr, keyOf(entry), (program) => buildTreatment(program, entry));
    next = entry.nr + 1;
  }
  push(next, JSON.stringify(unknown), (program) => program.leaf(unknown));
  return ranges;
}

function keyOf(entry: SyscallEntry): string {
  return isSocketCall(entry.name) ? entry.name : JSON.stringify(entry.treatment);
}

const isSocketCall = (name: string): boolean => name === 'socket' || name === 'socketpair';

function buildSearch(program: BackwardProgram, ranges: readonly Range[], whenEmpty: Label): Label {
  const [first] = ranges;
  if (first === undefined) return whenEmpty;
  if (ranges.length === 1) return first.build(program);
  const middle = ranges.length >> 1;
  const upper = buildSearch(program, ranges.slice(middle), whenEmpty);
  const lower = buildSearch(program, ranges.slice(0, middle), whenEmpty);
  return program.jump(BPF.JGE, ranges[middle]!.from, upper, lower);
}

function buildTreatment(program: BackwardProgram, entry: SyscallEntry): Label {
  if (isSocketCall(entry.name)) return buildSocketRules(program, entry.name);
  const treatment: Treatment = entry.treatment;
  if (typeof treatment === 'string' || 'errno' in treatment) return program.leaf(treatment);
  let next = program.leaf(treatment.otherwise);
  for (const check of [...treatment.checks].reverse()) next = buildCheck(program, check, next);
  return next;
}

function buildCheck(program: BackwardProgram, check: Check, otherwise: Label): Label {
  const then = program.leaf(check.gives);
  if (check.test === 'hint') return buildHint(program, check.arg, then, otherwise);
  if (check.test === 'anyBit') {
    const test = program.jump(BPF.JSET, (check.mask ?? 0) >>> 0, then, otherwise);
    return program.load(argumentLow(check.arg), test);
  }
  const [hit, miss] = check.test === 'in' ? [then, otherwise] : [otherwise, then];
  let test = buildMembership(program, check.values ?? [], hit, miss);
  if (check.mask !== undefined) test = program.and(check.mask, test);
  const low = program.load(argumentLow(check.arg), test);
  if (check.width === 'int') return low;
  // A 64-bit value equals a small constant only when its upper half is zero.
  return program.load(argumentHigh(check.arg), program.jump(BPF.JEQ, 0, low, miss));
}

/** What is no hint costs two instructions; O_TMPFILE, which has O_DIRECTORY in it, has a bit more than hints may have. */
function buildHint(program: BackwardProgram, arg: number, hint: Label, otherwise: Label): Label {
  if (program.hints === 'none') return otherwise;
  const rest = program.hints === 'files' ? hint : program.jump(BPF.JSET, O_DIRECTORY, hint, otherwise);
  const flags = program.load(argumentLow(arg), program.jump(BPF.JSET, ~HINT_FLAGS, otherwise, rest));
  return program.load(argumentHigh(arg), program.jump(BPF.JEQ, HINT_MAGIC, flags, otherwise));
}

function buildMembership(program: BackwardProgram, values: readonly number[], hit: Label, miss: Label): Label {
  let next = miss;
  for (const value of [...values].reverse()) next = program.jump(BPF.JEQ, value >>> 0, hit, next);
  return next;
}

/** socket(2) and socketpair(2): family, then type without its flag bits, then protocol. */
function buildSocketRules(program: BackwardProgram, name: string): Label {
  const families = name === 'socketpair' ? SOCKET_RULES.filter((rule) => rule.family === 1) : SOCKET_RULES;
  let next = program.leaf({ errno: 'EAFNOSUPPORT' });
  for (const rule of [...families].reverse()) {
    let byType = program.leaf({ errno: rule.otherwise });
    for (const refused of [...rule.refusedTypes].reverse()) {
      byType = program.jump(BPF.JEQ, refused.type, program.leaf({ errno: refused.errno }), byType);
    }
    for (const allowed of [...rule.allowed].reverse()) {
      const protocol = buildMembership(
        program,
        allowed.protocols,
        program.leaf('allow'),
        program.leaf({ errno: rule.otherwise }),
      );
      byType = program.jump(BPF.JEQ, allowed.type, program.load(argumentLow(2), protocol), byType);
    }
    const type = program.load(argumentLow(1), program.and(SOCK_TYPE_MASK, byType));
    next = program.jump(BPF.JEQ, rule.family, type, next);
  }
  return program.load(argumentLow(0), next);
}

/** Distance from the program's end; grows as instructions are put in front. */
type Label = number;

/** BPF jumps go forward only, so the program is written from its end: every target exists before the jump to it. */
class BackwardProgram {
  /** Last instruction first. */
  readonly #reversed: Instruction[] = [];
  readonly #returns = new Map<number, Label>();
  readonly #look: number;
  readonly hints: Hints;

  constructor({ hiding = false, hints = 'none' }: FilterOptions) {
    this.#look = hiding ? RET.userNotify : RET.allow;
    this.hints = hints;
  }

  ret(value: number): Label {
    const known = this.#returns.get(value);
    if (known !== undefined) return known;
    const label = this.#put({ code: BPF.RET, jt: 0, jf: 0, k: value >>> 0 });
    this.#returns.set(value, label);
    return label;
  }

  leaf(leaf: Leaf): Label {
    if (leaf === 'allow') return this.ret(RET.allow);
    if (leaf === 'notify') return this.ret(RET.userNotify);
    if (leaf === 'look') return this.ret(this.#look);
    return this.ret(RET.errno | (leaf.errno === 0 ? 0 : ERRNO[leaf.errno]));
  }

  load(offset: number, next: Label): Label {
    this.#continueAt(next);
    return this.#put({ code: BPF.LD_ABS, jt: 0, jf: 0, k: offset });
  }

  and(mask: number, next: Label): Label {
    this.#continueAt(next);
    return this.#put({ code: BPF.ALU_AND_K, jt: 0, jf: 0, k: mask >>> 0 });
  }

  jump(code: number, k: number, whenTrue: Label, whenFalse: Label): Label {
    const near = [whenTrue, whenFalse].map((target) => this.#within(target, MAX_CONDITIONAL_JUMP - 1));
    const [yes, no] = near as [Label, Label];
    return this.#put({ code, jt: this.#distance(yes), jf: this.#distance(no), k: k >>> 0 });
  }

  finish(): Instruction[] {
    if (this.#reversed.length > 4096) throw new Error(`seccomp program too long: ${this.#reversed.length}`);
    return [...this.#reversed].reverse();
  }

  /** Makes sure that falling through from the next instruction reaches `next`. */
  #continueAt(next: Label): void {
    if (this.#distance(next) !== 0) this.#put({ code: BPF.JA, jt: 0, jf: 0, k: this.#distance(next) });
  }

  /** `target`, or a trampoline to it when it is too far for a conditional jump. */
  #within(target: Label, limit: number): Label {
    if (this.#distance(target) < limit) return target;
    return this.#put({ code: BPF.JA, jt: 0, jf: 0, k: this.#distance(target) });
  }

  #distance(target: Label): number {
    return this.#reversed.length - target - 1;
  }

  #put(instruction: Instruction): Label {
    this.#reversed.push(instruction);
    return this.#reversed.length - 1;
  }
}
