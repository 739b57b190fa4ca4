import { readFileSync } from 'node:fs';
import type { Account } from './bare.ts';

/**
 * The ordinary account that tests started by root drop to: GATEKEEPER_TEST_USER, else nobody. Undefined when the tests do not run as
 * root: they are an ordinary user's already.
 */
export function ordinaryAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  return accountNamed(process.env['GATEKEEPER_TEST_USER'] ?? 'nobody');
}

function accountNamed(wanted: string): Account {
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [name, , uid, gid, , home] = line.split(':');
    if (name === wanted) return { name, uid: Number(uid), gid: Number(gid), home: home ?? '/' };
  }
  throw new Error(`there is no account ${wanted}; make one, or name another in GATEKEEPER_TEST_USER`);
}
