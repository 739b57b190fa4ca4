import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import { checkGrant } from '../../core/policy/grant-layer.ts';
import { type BootMoment, type Grant, type GrantScope, isOver } from '../../core/policy/grants.ts';
import { ACTION, type ActionName } from '../../core/wire/messages.ts';
import { bootMoment } from '../process/boot-clock.ts';
import { makeDirectories } from '../process/private-directory.ts';
import { changeFile, readIfThere } from '../process/shared-file.ts';

/**
 * What people granted. The store lies among gatekeeper's own files, which no run can reach.
 * @throws Error when the file is there and is not understood: nothing may be believed of it then
 */
export function readGrants(store: string): Grant[] {
  return parse(store, readIfThere(store));
}

/** A new one, that lasts until it is revoked, for a run, or for a while from now on. @throws Error where a while cannot be measured */
export function newGrant(
  action: ActionName,
  pattern: string,
  lasts: 'always' | { run: string } | { ms: number },
  by: number,
): Grant {
  const scope = lasts === 'always' ? { always: true as const } : 'run' in lasts ? lasts : forAWhile(lasts.ms);
  return { id: randomBytes(4).toString('hex'), action, pattern, scope, at: new Date().toISOString(), by };
}

function forAWhile(duration: number): GrantScope {
  const { boot, ms } = bootMoment();
  if (boot === undefined)
    throw new Error('the kernel does not say which boot this is, so nothing can be granted for a while');
  return { until: ms + duration, boot };
}

/** Milliseconds that are left to it; undefined when no clock ends it, 0 when it has ended. */
export function timeLeft(grant: Grant): number | undefined {
  const now = bootMoment();
  if (!('until' in grant.scope)) return undefined;
  return isOver(grant, now) ? 0 : grant.scope.until - now.ms;
}

/** Adds one, and drops those that have ended for everybody. */
export function addGrant(store: string, grant: Grant, now: BootMoment = bootMoment()): void {
  makeDirectories(dirname(store));
  changeFile(store, (text) => {
    const standing = parse(store, text).filter((one) => !isOver(one, now));
    if (standing.length >= MOST_GRANTS) throw new Error(`there are ${MOST_GRANTS} grants; revoke some`);
    return render([...standing, grant]);
  });
}

/** @returns those that were taken back */
export function removeGrants(store: string, ends: (grant: Grant) => boolean): Grant[] {
  if (!readGrants(store).some(ends)) return [];
  let removed: Grant[] = [];
  changeFile(store, (text) => {
    const grants = parse(store, text);
    removed = grants.filter(ends);
    return render(grants.filter((grant) => !ends(grant)));
  });
  return removed;
}

function parse(store: string, text: string | undefined): Grant[] {
  if (text === undefined) return [];
  try {
    const value: unknown = JSON.parse(text);
    if (hasKeys(value, ['v', 'grants']) && value['v'] === 1 && isListOfGrants(value['grants'])) return value['grants'];
  } catch {
    // said below
  }
  throw new Error(`${store} is not understood; remove it, then grant again what you grant`);
}

function isListOfGrants(value: unknown): value is Grant[] {
  if (!Array.isArray(value) || value.length > MOST_GRANTS || !value.every(isGrant)) return false;
  return new Set(value.map(({ id }) => id)).size === value.length;
}

/** What is not known of one could be what makes it narrower. */
function isGrant(value: unknown): value is Grant {
  if (!hasKeys(value, ['id', 'action', 'pattern', 'scope', 'at', 'by'])) return false;
  const { id, action, pattern, scope, at, by } = value;
  if (typeof id !== 'string' || !/^[a-z0-9]{1,32}$/.test(id) || typeof at !== 'string' || !isCount(by)) return false;
  if (typeof action !== 'string' || !Object.hasOwn(ACTION, action)) return false;
  if (typeof pattern !== 'string' || pattern.length > LONGEST_PATTERN) return false;
  checkGrant(action as ActionName, pattern);
  return isScope(scope);
}

function isScope(value: unknown): value is GrantScope {
  if (hasKeys(value, ['run'])) return typeof value['run'] === 'string' && value['run'] !== '';
  if (hasKeys(value, ['always'])) return value['always'] === true;
  if (!hasKeys(value, ['until', 'boot'])) return false;
  return isCount(value['until']) && value['until'] > 0 && typeof value['boot'] === 'string';
}

function hasKeys(value: unknown, keys: readonly string[]): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.keys(value).sort().join() === [...keys].sort().join();
}

/** Seconds of it have to fit into 32 bits. */
const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= 0xffff_ffff * 1000;

const render = (grants: readonly Grant[]): string => `${JSON.stringify({ v: 1, grants }, null, 2)}\n`;
const MOST_GRANTS = 256;
const LONGEST_PATTERN = 8192;
