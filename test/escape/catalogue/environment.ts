import type { WayOut } from '../catalogue.ts';

/** Ways out that would work if gatekeeper lived in libraries, variables or files of the program that it confines. */
export const ENVIRONMENT: readonly WayOut[] = [
  { id: 'A01', title: 'system calls made by the program itself, without a C library' },
  {
    id: 'A02',
    title: 'whatever gatekeeper puts into the environment, taken out again',
    tests: [{ file: 'escape/programs.test.ts', title: 'is read by %s outside and not inside' }],
  },
  { id: 'A03', title: 'programs with the set-user-id bit, which the loader treats apart' },
  {
    id: 'A04',
    title: 'calls inside the C library, which nobody can replace: streams, popen, a second copy of the library',
  },
  {
    id: 'A05',
    title: 'programs of another C library or another word size, whose output must stay as it is',
    tests: [
      { file: 'integration/hook-library.test.ts', title: 'a program with %s behaves as outside' },
      { file: 'integration/hook-library.test.ts', title: 'a program of musl behaves as outside' },
    ],
  },
  {
    id: 'A06',
    title: 'ways around the modules of Node: bindings, workers, native modules, children without options',
    tests: [{ file: 'escape/programs.test.ts', title: 'is read by %s outside and not inside' }],
  },
  { id: 'A07', title: 'changing the files of gatekeeper itself' },
  {
    id: 'A08',
    title: 'forging what a hook or a helper of gatekeeper would say; its sockets are tried under D09',
    tests: [{ file: 'escape/mounts.test.ts', title: '$title, is read by a hint outside and not inside' }],
  },
  {
    id: 'A09',
    title: 'programs that a hook in their memory would break',
    tests: [
      { file: 'integration/hook-library.test.ts', title: '%s: output and status are those of outside' },
      { file: 'native-hooks/test/hook_start_test.c', title: 'a_waiting_open_can_be_cancelled' },
      { file: 'native-hooks/test/hook_start_test.c', title: 'handlers_may_open' },
      { file: 'native-hooks/test/hook_open_test.c', title: 'answers_are_the_kernels' },
    ],
  },
  {
    id: 'A10',
    title: 'variables that the user had set, lost or handed on',
    tests: [{ file: 'escape/programs.test.ts', title: 'finds the variables that its user had set as they were' }],
  },
];
