import { resolve } from 'node:path';
import { ADDED_AUTHORITIES, AUTHORITY_BUNDLES } from '../core/contract/authority-variables.ts';

/** The files of certificate authorities that this environment names, so that a run whose requests are looked into goes on to trust them. */
export function authorityFiles(env: NodeJS.ProcessEnv): { caFiles?: string[] } {
  const named = [ADDED_AUTHORITIES, ...AUTHORITY_BUNDLES]
    .flatMap((name) => env[name] || [])
    .map((path) => resolve(path));
  const paths = [...new Set(named)].filter((path) => path.length <= LONGEST_PATH);
  return paths.length === 0 ? {} : { caFiles: paths };
}

const LONGEST_PATH = 4096;
