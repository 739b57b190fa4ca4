import type { EffectName } from '../wire/messages.ts';
import { entriesOf, Imported, stringsOf } from './imported.ts';

/**
 * Settings of Anthropic's sandbox-runtime (its README, "Configuration"): reading is allowed but for what is denied, writing and the network
 * are denied but for what is allowed, and programs may start.
 */
export function importSandboxRuntime(value: unknown): Imported {
  const imported = new Imported();
  imported.defaults.set('file_read', 'allow').set('file_write', 'deny').set('shell_exec', 'allow');
  imported.defaults.set('network', 'deny').set('unix_socket', 'deny');
  addSandboxSettings(imported, value, '');
  return imported;
}

/** Adds network and file rules of such settings; `prefix` names where they stood. */
export function addSandboxSettings(imported: Imported, value: unknown, prefix: string): void {
  for (const [key, entry] of entriesOf(value)) {
    if (key === 'network') addNetwork(imported, entry, `${prefix}network.`);
    else if (key === 'filesystem') addFiles(imported, entry, `${prefix}filesystem.`);
    else imported.leave(`${prefix}${key}: ${JSON.stringify(entry)}`, 'an option of that sandbox, and no rule');
  }
}

function addNetwork(imported: Imported, value: unknown, prefix: string): void {
  const reasons = new Map(entriesOf((value as { deniedDomainReasons?: unknown } | null)?.deniedDomainReasons));
  for (const [key, entry] of entriesOf(value)) {
    const items = (): string[] => stringsOf(imported, entry, prefix + key);
    if (key === 'allowedDomains') for (const domain of items()) imported.add(['network'], domain, 'allow');
    else if (key === 'deniedDomains') {
      for (const domain of items()) {
        const reason = reasons.get(domain);
        imported.add(['network'], domain, 'deny', typeof reason === 'string' ? { reason } : {});
      }
    } else if (key === 'allowUnixSockets')
      for (const path of items()) addPath(imported, ['unix_socket'], path, 'allow');
    else if (key === 'allowAllUnixSockets') {
      if (entry === true) imported.add(['unix_socket'], '/**', 'allow', { from: `${prefix}${key}: true` });
    } else if (key !== 'deniedDomainReasons' && !(key === 'allowLocalBinding' && entry === false)) {
      imported.leave(`${prefix}${key}: ${JSON.stringify(entry)}`, 'an option of that sandbox, and no rule');
    }
  }
}

function addFiles(imported: Imported, value: unknown, prefix: string): void {
  for (const [key, entry] of entriesOf(value)) {
    const items = (): string[] => stringsOf(imported, entry, prefix + key);
    const known = FILE_KEYS[key];
    if (!known) imported.leave(`${prefix}${key}: ${JSON.stringify(entry)}`, 'an option of that sandbox, and no rule');
    else for (const path of items()) addPath(imported, known.actions, path, known.effect, known.override);
  }
}

function addPath(
  imported: Imported,
  actions: readonly ('file_read' | 'file_write' | 'file_delete' | 'unix_socket')[],
  path: string,
  effect: EffectName,
  override = false,
): void {
  imported.add(actions, pathBeneath(path), effect, { from: path, override });
}

/** A path there means itself and everything beneath it, relative to the working directory. */
export function pathBeneath(path: string): string {
  const anchored = /^(\/|~\/|~$|\.\/|\.$)/.test(path) ? path : path.startsWith('**/') ? path : `./${path}`;
  if (/\*$/.test(anchored)) return anchored;
  return `${anchored.replace(/\/+$/, '')}/**`;
}

const WRITING = ['file_write', 'file_delete'] as const;
/** A read that is allowed within what is denied is an exception; writing knows none. */
const FILE_KEYS: Record<
  string,
  { actions: readonly ['file_read'] | typeof WRITING; effect: EffectName; override?: boolean }
> = {
  denyRead: { actions: ['file_read'], effect: 'deny' },
  allowRead: { actions: ['file_read'], effect: 'allow', override: true },
  allowWrite: { actions: WRITING, effect: 'allow' },
  denyWrite: { actions: WRITING, effect: 'deny' },
};
