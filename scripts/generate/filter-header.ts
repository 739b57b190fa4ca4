import { buildFilter, type Instruction } from '../../src/core/kernel/filter.ts';
import { SYSCALLS } from '../../src/core/kernel/syscalls.ts';
import { generatedHead } from './c-names.ts';

/** The seccomp programs as arrays of `struct sock_filter`: for most runs, and for those from which names are hidden. */
export function filterHeader(): string {
  return [
    generatedHead('src/core/kernel/syscalls.ts', 'GK_FILTER_GEN_H'),
    '#include <linux/filter.h>\n\n',
    ...array('gk_filter_program', buildFilter()),
    ...array('gk_filter_hiding', buildFilter(SYSCALLS, true)),
    '#endif\n',
  ].join('');
}

function array(name: string, program: readonly Instruction[]): string[] {
  const hex = (value: number): string => `0x${value.toString(16)}`;
  return [
    `static const struct sock_filter ${name}[${program.length}] = {\n`,
    program.map((i) => `\t{${hex(i.code)}, ${i.jt}, ${i.jf}, ${hex(i.k)}},\n`).join(''),
    '};\n\n',
  ];
}
