import { HINT_MAGIC } from '../../src/core/kernel/hint.ts';

/** Everything that may be executed may be read as a whole, the directory open among it; the rest of the project is denied. */
export const hintsPolicy = (rule = '', more = ''): string => `name: hints
version: 1
${more}policies:
  - action: file_read
    defaultEffect: deny
    rules:
      - { path: ["/usr/**", "/bin/**", "/sbin/**", "/lib/**", "/lib64/**", "./open/**"], effect: allow }
      - { path: "./.env", effect: deny }
${rule}
  - action: shell_exec
    defaultEffect: allow
`;

/** Python that opens its arguments (a directory ends in a slash) and says what came of it. */
const opens = (upper: number): readonly string[] => [
  'python3',
  '-c',
  `
import ctypes, errno, os, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
for path in sys.argv[1:]:
    flags = os.O_DIRECTORY if path.endswith("/") else 0
    fd = libc.syscall(ctypes.c_long(257), ctypes.c_long(-100), path.encode(), ctypes.c_long(${upper} << 32 | flags), ctypes.c_long(0))
    print(path, "read" if fd >= 0 else errno.errorcode[ctypes.get_errno()])
`,
];

/** By a hint, and by what only looks like one. */
export const HINTED = opens(HINT_MAGIC);
export const UNHINTED = opens(HINT_MAGIC + 1);
