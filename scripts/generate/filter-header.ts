import { buildFilter } from '../../src/core/kernel/filter.ts';
import { generatedHead } from './c-names.ts';

/** The seccomp program as an array of `struct sock_filter`. */
export function filterHeader(): string {
  const program = buildFilter();
  const hex = (value: number): string => `0x${value.toString(16)}`;
  return [
    generatedHead('src/core/kernel/syscalls.ts', 'GK_FILTER_GEN_H'),
    '#include <linux/filter.h>\n\n',
    `#define GK_FILTER_LENGTH ${program.length}\n\n`,
    'static const struct sock_filter gk_filter_program[GK_FILTER_LENGTH] = {\n',
    program.map((i) => `\t{${hex(i.code)}, ${i.jt}, ${i.jf}, ${hex(i.k)}},\n`).join(''),
    '};\n\n#endif\n',
  ].join('');
}
