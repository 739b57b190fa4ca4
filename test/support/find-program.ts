import { accessSync, constants, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { plainEnvironment } from './bare.ts';

/** The program's path: also where distributions put servers, which are not on everybody's PATH. */
export function findProgram(name: string): string | undefined {
  const path = plainEnvironment()['PATH']?.split(':') ?? [];
  return [...path, ...postgresDirectories()].map((directory) => join(directory, name)).find(isExecutable);
}

function postgresDirectories(): string[] {
  try {
    return readdirSync(POSTGRES).map((version) => join(POSTGRES, version, 'bin'));
  } catch {
    return [];
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const POSTGRES = '/usr/lib/postgresql';
