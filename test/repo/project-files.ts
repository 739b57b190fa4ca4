import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Every file of the project, relative to its root, without what is installed or built. */
export function projectFiles(under = ''): string[] {
  return readdirSync(join(ROOT, under), { withFileTypes: true }).flatMap((entry) => {
    const path = under ? `${under}/${entry.name}` : entry.name;
    if (NOT_OURS.has(path) || NOT_OURS.has(entry.name)) return [];
    return entry.isDirectory() ? projectFiles(path) : entry.isFile() ? [path] : [];
  });
}

export const readText = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

export const readJson = <T>(path: string): T => JSON.parse(readText(path)) as T;

/** Specifiers of the static and dynamic imports and re-exports of a TypeScript file. */
export function importsOf(path: string): string[] {
  const text = readText(path).replace(/^\s*(\/\/|\*|\/\*).*$/gm, '');
  return [...text.matchAll(IMPORT)].map(([, from, called, bare]) => (from ?? called ?? bare)!);
}

const IMPORT = /\bfrom\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)|^import\s+['"]([^'"]+)['"]/gm;
const NOT_OURS = new Set(['.git', '.gatekeeper-build', 'coverage', 'dist', 'node_modules', 'native-hooks/build']);
