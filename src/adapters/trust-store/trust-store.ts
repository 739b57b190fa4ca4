import { dirname } from 'node:path';
import { makeDirectories } from '../process/private-directory.ts';
import { changeFile, readIfThere } from '../process/shared-file.ts';

/** A file of a project that the user has read and stands by: at this place, with exactly this content. */
export type TrustedFile = {
  /** Absolute, symbolic links resolved. */
  path: string;
  /** Hex SHA-256 of the content. */
  digest: string;
  /** When, ISO 8601. */
  at: string;
};

/** `trusted`: this content is. `changed`: another content was, this one is not. */
export type Trust = 'trusted' | 'changed' | 'unknown';

/**
 * Which project files the user trusts. The store lies among gatekeeper's own files, which no run can reach.
 * @throws Error when the file is there and is not understood: nothing may be believed of it then
 */
export function readTrust(store: string): TrustedFile[] {
  const text = readIfThere(store);
  return text === undefined ? [] : parse(store, text);
}

export function trustOf(files: readonly TrustedFile[], path: string, digest: string): Trust {
  const known = files.find((file) => file.path === path);
  if (known === undefined) return 'unknown';
  return known.digest === digest ? 'trusted' : 'changed';
}

/** From now on this content is trusted at this place, and no other. */
export function addTrust(store: string, file: TrustedFile): void {
  makeDirectories(dirname(store));
  changeFile(store, (text) => {
    const others = parse(store, text).filter(({ path }) => path !== file.path);
    return render([...others, file]);
  });
}

/** @returns whether there was something to take back */
export function removeTrust(store: string, path: string): boolean {
  if (!readTrust(store).some((file) => file.path === path)) return false;
  changeFile(store, (text) => render(parse(store, text).filter((file) => file.path !== path)));
  return true;
}

function parse(store: string, text: string | undefined): TrustedFile[] {
  if (text === undefined) return [];
  try {
    const { v, files } = JSON.parse(text) as { v: unknown; files: unknown };
    if (v === 1 && Array.isArray(files) && files.every(isTrustedFile)) return files;
  } catch {
    // said below
  }
  throw new Error(`${store} is not understood; remove it, then trust again what you trust`);
}

function isTrustedFile(value: unknown): value is TrustedFile {
  const { path, digest, at } = (value ?? {}) as Partial<Record<keyof TrustedFile, unknown>>;
  return (
    typeof path === 'string' &&
    path.startsWith('/') &&
    typeof digest === 'string' &&
    /^[0-9a-f]{64}$/.test(digest) &&
    typeof at === 'string'
  );
}

const render = (files: readonly TrustedFile[]): string => `${JSON.stringify({ v: 1, files }, null, 2)}\n`;
