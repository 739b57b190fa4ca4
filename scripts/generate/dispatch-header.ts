import { reachesSupervisor, SYSCALLS } from '../../src/core/kernel/syscalls.ts';
import { generatedHead } from './c-names.ts';

/**
 * One handler prototype and one table row for every system call that can reach the supervisor, plus the names of all
 * audited calls for messages.
 */
export function dispatchHeader(): string {
  const handled = SYSCALLS.filter(reachesSupervisor);
  const last = SYSCALLS.at(-1)!.nr;
  return [
    generatedHead('src/core/kernel/syscalls.ts', 'GK_DISPATCH_GEN_H'),
    '#include "supervise/call.h"\n\n',
    `#define GK_SYSCALL_MAX ${last}\n\n`,
    handled.map((entry) => `#define GK_NR_${entry.name} ${entry.nr}\n`).join(''),
    '\n',
    handled.map((entry) => `void gk_do_${entry.name}(struct gk_call *call);\n`).join(''),
    '\n/* X(number, name) for every call that has a handler. */\n#define GK_HANDLED_CALLS(X) \\\n',
    handled.map((entry) => `\tX(${entry.nr}, ${entry.name})`).join(' \\\n'),
    '\n\n#endif\n',
  ].join('');
}
