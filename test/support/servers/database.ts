import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ordinaryAccount } from '../account.ts';
import { findProgram } from '../find-program.ts';

/** A PostgreSQL server on a Unix socket: what starts it, and the socket's path. It is an ordinary user's, since it refuses to be root's. */
export function makeDatabase(directory: string): { argv: string[]; ready: RegExp; socket: string } | undefined {
  const [initdb, postgres] = [findProgram('initdb'), findProgram('postgres')];
  if (initdb === undefined || postgres === undefined) return undefined;
  const own = join(directory, 'database');
  mkdirSync(own, { mode: 0o700 });
  const account = ordinaryAccount();
  if (account) chownSync(own, account.uid, account.gid);
  const made = ['-D', join(own, 'data'), '-U', 'tester', '-A', 'trust', '--no-sync', '--no-locale', '-E', 'UTF8'];
  const options = { stdio: 'pipe', cwd: own, ...(account && { uid: account.uid, gid: account.gid }) } as const;
  execFileSync(initdb, made, options);
  // It ends with the tests also when they are killed.
  const as = ['setpriv', '--pdeathsig', 'INT'];
  if (account) as.push('--reuid', account.name, '--regid', String(account.gid), '--clear-groups');
  return {
    argv: [...as, postgres, '-D', join(own, 'data'), '-k', own, '-c', 'listen_addresses=', '-c', 'fsync=off'],
    ready: /ready to accept connections/,
    socket: join(own, '.s.PGSQL.5432'),
  };
}
