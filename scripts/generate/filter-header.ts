import { buildFilter, type Instruction } from '../../src/core/kernel/filter.ts';
import { HINT_FLAGS, HINT_MAGIC, HINTS } from '../../src/core/kernel/hint.ts';
import { cName, generatedHead } from './c-names.ts';

/** The seccomp programs as arrays of `struct sock_filter`: by whether names are hidden from the run, and by the hints that it may give. */
export function filterHeader(): string {
  const variants = [false, true].flatMap((hiding) =>
    HINTS.map((hints) => ({ name: nameOf(hiding, hints), hiding, program: buildFilter({ hiding, hints }) })),
  );
  const row = (wanted: boolean): string =>
    variants
      .filter(({ hiding }) => hiding === wanted)
      .map(({ name, program }) => `{${name}, ${program.length}}`)
      .join(', ');
  return [
    generatedHead('src/core/kernel/syscalls.ts', 'GK_FILTER_GEN_H'),
    '#include "include/gk_hint.gen.h"\n\n#include <linux/filter.h>\n#include <stddef.h>\n\n',
    ...variants.flatMap(({ name, program }) => array(name, program)),
    'struct gk_filter {\n\tconst struct sock_filter *program;\n\tsize_t length;\n};\n\n',
    '/* By whether names are hidden, and by enum gk_hints. */\n',
    `static const struct gk_filter gk_filters[2][GK_HINTS_COUNT] = {\n\t{${row(false)}},\n\t{${row(true)}},\n};\n\n#endif\n`,
  ].join('');
}

/** What hook and filter have to agree on. */
export function hintHeader(): string {
  return [
    generatedHead('src/core/kernel/hint.ts', 'GK_HINT_GEN_H'),
    '/* A hint is an openat(2) with this in the upper half of the flags register, and in the lower no flag but these. */\n',
    `#define GK_HINT_MAGIC 0x${HINT_MAGIC.toString(16)}U\n`,
    `#define GK_HINT_FLAGS 0x${HINT_FLAGS.toString(16)}U\n\n`,
    '/* Which hints a filter lets through: of directories those with O_DIRECTORY, of files all. */\n',
    `enum gk_hints {\n${HINTS.map((hints) => `\tGK_HINTS_${cName(hints)},\n`).join('')}};\n`,
    `#define GK_HINTS_COUNT ${HINTS.length}\n\n#endif\n`,
  ].join('');
}

const nameOf = (hiding: boolean, hints: string): string => `gk_filter${hiding ? '_hiding' : ''}_${hints}`;

function array(name: string, program: readonly Instruction[]): string[] {
  const hex = (value: number): string => `0x${value.toString(16)}`;
  return [
    `static const struct sock_filter ${name}[${program.length}] = {\n`,
    program.map((i) => `\t{${hex(i.code)}, ${i.jt}, ${i.jf}, ${hex(i.k)}},\n`).join(''),
    '};\n\n',
  ];
}
