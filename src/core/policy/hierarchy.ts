/** Directories and what lies in them, as bytes: absolute paths without a trailing slash. */
export function covers(directory: Uint8Array, path: Uint8Array): boolean {
  if (directory.length === 1) return true;
  if (path.length < directory.length) return false;
  // From the end, where paths differ.
  for (let index = directory.length - 1; index >= 0; index--) if (directory[index] !== path[index]) return false;
  return path.length === directory.length || path[directory.length] === SLASH;
}

export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let index = 0; index < shared; index++) if (a[index] !== b[index]) return a[index]! - b[index]!;
  return a.length - b.length;
}

/** Each path once, the first of equal ones. */
export function unique(paths: Iterable<Uint8Array>): Uint8Array[] {
  const found = new Map<string, Uint8Array>();
  for (const path of paths) {
    let key = '';
    for (const byte of path) key += String.fromCharCode(byte);
    if (!found.has(key)) found.set(key, path);
  }
  return [...found.values()];
}

/** Absolute, not the root, and names only. */
export function isCanonical(path: Uint8Array): boolean {
  if (path.length < 2 || path[0] !== SLASH || path.includes(0)) return false;
  let start = 1;
  for (let at = 1; at <= path.length; at++) {
    if (at < path.length && path[at] !== SLASH) continue;
    const name = path.subarray(start, at);
    if (name.length === 0 || (name.length <= 2 && name.every((byte) => byte === DOT))) return false;
    start = at + 1;
  }
  return true;
}

/** Where the kernel makes the files: what a path there names changes with who looks, or is a device. */
export const isMadeByKernel = (path: Uint8Array): boolean => KERNEL_MADE.some((place) => covers(place, path));

/** Complete components of a path before its last slash. */
export function upToSlash(path: Uint8Array): Uint8Array {
  const slash = path.lastIndexOf(SLASH);
  return slash > 0 ? path.subarray(0, slash) : ROOT;
}

export const SLASH = 0x2f;
const DOT = 0x2e;
export const ROOT = Uint8Array.of(SLASH);
const KERNEL_MADE = ['/proc', '/dev'].map((path) => new TextEncoder().encode(path));
