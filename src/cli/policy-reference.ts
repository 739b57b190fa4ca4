import { resolve } from 'node:path';

/** A bare word is always a preset: a file of that name in a foreign repository must not take its place. */
export function policyReference(policy: string): string {
  return /[/.]/.test(policy) ? resolve(policy) : policy;
}
