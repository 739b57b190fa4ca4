import { SUBJECT_OF, type SubjectKey } from '../policy/document.ts';
import { ACTION, type ActionName, EFFECT, type EffectName } from '../wire/messages.ts';
import { entriesOf, Imported, stringsOf } from './imported.ts';

/**
 * Rules with `path`, `command` and `destination` in blocks, as here, but with looser patterns: `/.ssh/` for a directory of that name
 * anywhere, `*` in front for any depth, URLs for destinations.
 */
export function importNative(value: unknown): Imported {
  const imported = new Imported();
  for (const [key, entry] of entriesOf(value)) {
    if (key === 'policies' || key === 'version' || key === 'name' || key === 'description') continue;
    if (key === 'extends') imported.extends.push(...stringsOf(imported, entry, key));
    else imported.leave(`${key}: ${JSON.stringify(entry)}`, 'there is no such key');
  }
  const blocks = (value as { policies?: unknown }).policies;
  for (const block of Array.isArray(blocks) ? blocks : []) importBlock(imported, block);
  imported.notes.push(
    'The strictest matching rule wins here, wherever it stands; look at it with: gatekeeper policy check',
  );
  return imported;
}

function importBlock(imported: Imported, block: unknown): void {
  const entries = new Map(entriesOf(block));
  const actions = stringsOf(imported, entries.get('action'), 'action').filter((action): action is ActionName => {
    if (Object.hasOwn(ACTION, action) && SUBJECT_OF[action as ActionName] !== null) return true;
    imported.leave(`action: ${action}`, 'there is no such action');
    return false;
  });
  const [first] = actions;
  if (!first) {
    imported.leave(JSON.stringify(block), 'a block without an action that is known');
    return;
  }
  const effect = effectOf(entries.get('defaultEffect'));
  if (effect) for (const action of actions) imported.defaults.set(action, effect);
  else if (entries.has('defaultEffect'))
    imported.leave(`defaultEffect: ${entries.get('defaultEffect')}`, UNKNOWN_EFFECT);
  for (const key of entries.keys()) {
    if (!['action', 'defaultEffect', 'rules'].includes(key))
      imported.leave(
        `${key}: ${JSON.stringify(entries.get(key))}`,
        `in a block of ${actions.join(', ')}, not known here`,
      );
  }
  const rules = entries.get('rules');
  for (const rule of Array.isArray(rules) ? rules : []) importRule(imported, actions, SUBJECT_OF[first]!, rule);
}

function importRule(imported: Imported, actions: readonly ActionName[], subject: SubjectKey, rule: unknown): void {
  const entries = new Map(entriesOf(rule));
  const effect = effectOf(entries.get('effect'));
  const patterns = stringsOf(imported, entries.get(subject), subject);
  const extra = [...entries.keys()].filter((key) => ![subject, 'effect', 'reason', 'override'].includes(key));
  if (!effect) imported.leave(JSON.stringify(rule), UNKNOWN_EFFECT);
  else if (patterns.length === 0)
    imported.leave(JSON.stringify(rule), `a rule of ${actions.join(', ')} without a ${subject}`);
  else if (extra.length > 0 && effect === 'allow') {
    imported.leave(
      JSON.stringify(rule),
      `${extra.join(', ')} cannot be said here, and without it the rule would allow more`,
    );
  } else {
    if (extra.length > 0)
      imported.leave(`${extra.join(', ')} of ${JSON.stringify(rule)}`, 'the rule holds without it, for more requests');
    const reason = entries.get('reason');
    const more = {
      override: entries.get('override') === true && effect !== 'deny',
      reason: typeof reason === 'string' ? reason : '',
    };
    for (const pattern of patterns) importPattern(imported, actions, subject, pattern, effect, more);
  }
}

function importPattern(
  imported: Imported,
  actions: readonly ActionName[],
  subject: SubjectKey,
  pattern: string,
  effect: EffectName,
  more: { override: boolean; reason: string },
): void {
  const add = (translated: string): void => imported.add(actions, translated, effect, { ...more, from: pattern });
  if (subject === 'path') add(tightPath(pattern));
  else if (subject === 'command') add(pattern);
  else {
    const destination = tightDestination(pattern);
    if (destination.path && effect === 'allow')
      imported.leave(pattern, 'a path within a host cannot be allowed over TLS; allow the host if that is meant');
    else add(destination.host);
  }
}

/** `/.ssh/` and a star before the first slash mean any depth in the loose format; a slash at the end means everything beneath. */
export function tightPath(pattern: string): string {
  let path = pattern.replace(/^\*+\//, '**/').replace(/\/{2,}/g, '/');
  if (/^\/\.[^/]/.test(path)) path = `**${path}`;
  return path.length > 1 && path.endsWith('/') ? `${path}**` : path;
}

function tightDestination(pattern: string): { host: string; path: boolean } {
  const url = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)([/?#].*)?$/i.exec(pattern);
  if (!url) return { host: pattern.replace(/^\.(?=[^.])/, '*.'), path: false };
  const [, scheme = '', authority = '', rest = ''] = url;
  const port = /:\d+$/.test(authority)
    ? ''
    : ({ https: ':443', wss: ':443', http: ':80', ws: ':80' }[scheme.toLowerCase()] ?? '');
  return { host: `${authority}${port}`, path: !/^\/?\**$/.test(rest) };
}

function effectOf(value: unknown): EffectName | null {
  const word = typeof value === 'string' ? value.toLowerCase() : '';
  if (Object.hasOwn(EFFECT, word)) return word as EffectName;
  return Object.hasOwn(SYNONYMS, word) ? SYNONYMS[word]! : null;
}

const SYNONYMS: Record<string, EffectName> = {
  block: 'deny',
  forbid: 'deny',
  permit: 'allow',
  prompt: 'ask',
  approve: 'ask',
  require_approval: 'ask',
};
const UNKNOWN_EFFECT = 'the effect is none of allow, deny, ask, shadow';
