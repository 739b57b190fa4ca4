import type { RunHooks } from './control-api.ts';

/**
 * The variables by which the dynamic loader and Node find the hooks: ours first and once, what the user has there after it. An entry of ours in what the
 * user has came from another run, whose files may be gone.
 */
export function hookVariables({ library, script }: RunHooks, users: HookVariables): HookVariables {
  return {
    ...(library === undefined ? {} : { LD_PRELOAD: inFront(preloadSyntax(library), users.LD_PRELOAD) }),
    ...(library === undefined ? {} : { ASAN_OPTIONS: inFront(SANITIZER, users.ASAN_OPTIONS) }),
    ...(script === undefined ? {} : { NODE_OPTIONS: inFront(nodeSyntax(script), users.NODE_OPTIONS) }),
  };
}

export type HookVariables = Partial<Record<'LD_PRELOAD' | 'ASAN_OPTIONS' | 'NODE_OPTIONS', string | undefined>>;

/** Whether LD_PRELOAD can name it: blanks and colons separate, and `$` begins what the loader replaces (ld.so(8)). */
export const canBePreloaded = (path: string): boolean => !/[ :$]/.test(path);

type Syntax = { ours: string; entries: RegExp; isOurs: (entry: string) => boolean; separator: string };

/** Programs with AddressSanitizer as a shared library end at once where another library comes before it, unless they are told not to look. */
const SANITIZER: Syntax = {
  ours: 'verify_asan_link_order=0',
  entries: /[^\s,:]+/g,
  isOurs: (entry) => entry === SANITIZER.ours,
  separator: ':',
};

function preloadSyntax(library: string): Syntax {
  const [shelf, name] = partsOf(library);
  const isOurs = (entry: string) => entry.startsWith(shelf) && entry.endsWith(name);
  return { ours: library, entries: /[^ :]+/g, isOurs, separator: ':' };
}

/** Words are separated by blanks; within double quotes blanks are kept, and a backslash takes the next character as it is (node_options.cc). */
function nodeSyntax(script: string): Syntax {
  const [shelf, name] = partsOf(script);
  const plain = (word: string) => word.replace(/"((?:[^"\\]|\\.)*)"/gs, (_, inside) => inside.replace(/\\(.)/gs, '$1'));
  const isOurs = (word: string) => plain(word).startsWith(`--require=${shelf}`) && plain(word).endsWith(name);
  const word = `--require=${script}`;
  const ours = /[ "]/.test(word) ? `"${word.replace(/["\\]/g, '\\$&')}"` : word;
  return { ours, entries: /(?:[^ "]|"(?:[^"\\]|\\.)*")+/gs, isOurs, separator: ' ' };
}

function inFront({ ours, entries, isOurs, separator }: Syntax, users = ''): string {
  const found = users.match(entries) ?? [];
  const kept = found.some(isOurs) ? found.filter((entry) => !isOurs(entry)).join(separator) : users;
  return kept === '' ? ours : `${ours}${separator}${kept}`;
}

/** The directory that holds those of all versions, and the file's name. */
function partsOf(path: string): [shelf: string, name: string] {
  const name = path.slice(path.lastIndexOf('/'));
  const directory = path.slice(0, -name.length);
  return [directory.slice(0, directory.lastIndexOf('/') + 1), name];
}
