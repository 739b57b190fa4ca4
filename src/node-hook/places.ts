import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';

/** The path that the object has, or would have: links are resolved as far as the path exists. */
export function canonicalPath(path: string): string {
  return realAsFarAsThere(resolve(path));
}

/** The name under which a program was called, in its real directory. */
export function linkTo(path: string): string {
  const absolute = resolve(path);
  return join(canonicalPath(dirname(absolute)), absolute.slice(absolute.lastIndexOf('/') + 1));
}

/** As execvp finds it; a name that is nowhere is judged as it would stand in /usr/bin. */
export function findProgram(name: string): string {
  if (name.includes('/')) return name;
  const places = (process.env['PATH'] ?? '').split(delimiter).filter((place) => place.startsWith('/'));
  return places.map((place) => join(place, name)).find(isProgram) ?? `/usr/bin/${name}`;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function realAsFarAsThere(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realAsFarAsThere(parent), path.slice(parent === '/' ? 1 : parent.length + 1));
  }
}
