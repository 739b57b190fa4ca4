import { addressFromBytes, formatAddress } from '../core/egress/address.ts';
import type { Asked } from '../core/engine/answer.ts';
import { canonicalCommand } from '../core/engine/command-text.ts';
import { GatekeeperError } from '../core/errors/gatekeeper-error.ts';
import { checkGrant } from '../core/policy/grant-layer.ts';
import { literalCommand, literalPath } from '../core/policy/literal-pattern.ts';
import { PatternProblem } from '../core/policy/pattern-problem.ts';
import type { ActionName } from '../core/wire/messages.ts';

/** The pattern that takes what is asked about, and nothing else. @throws GatekeeperError (GK_GRANT) */
export function patternOf(asked: Asked): string {
  switch (asked.action) {
    case 'shell_exec':
      return literalCommand(commandOf(asked));
    case 'network':
      return destinationOf(asked);
    default:
      return pathOf(asked.path);
  }
}

/** @throws GatekeeperError (GK_GRANT) */
export function checkPattern(action: ActionName, pattern: string): void {
  try {
    checkGrant(action, pattern);
  } catch (cause) {
    if (!(cause instanceof PatternProblem)) throw cause;
    throw new GatekeeperError('GK_GRANT', {
      what: cause.message,
      where: pattern,
      cause,
      ...(cause.remedy ? { remedy: cause.remedy } : {}),
    });
  }
}

function pathOf(path: string): string {
  if (path !== '/') return literalPath(path);
  const remedy = 'grant a directory beneath it; for everything: --pattern "/**"';
  throw new GatekeeperError('GK_GRANT', { what: 'the root alone cannot be granted', where: path, remedy });
}

/** By its base name as it was given, or by the path that it is called through. */
function commandOf({ words, alias, program }: Extract<Asked, { action: 'shell_exec' }>): string {
  const named = words[0]!.includes('/') ? (alias ?? program) : words[0]!;
  if (/[\s'"\\]/.test(named)) {
    const remedy = 'name it by a pattern, with ? for the odd character: --pattern';
    throw new GatekeeperError('GK_GRANT', { what: 'the name of the program needs quotes', where: named, remedy });
  }
  const encoder = new TextEncoder();
  return new TextDecoder().decode(canonicalCommand([named, ...words.slice(1)].map((word) => encoder.encode(word))));
}

function destinationOf({ name, address, port, url }: Extract<Asked, { action: 'network' }>): string {
  if (url !== undefined) {
    throw new GatekeeperError('GK_GRANT', {
      what: 'a single request cannot be granted',
      where: url,
      remedy: 'name host and port',
    });
  }
  if (name !== undefined) return `${name}:${port}`;
  const text = formatAddress(addressFromBytes(address!)!);
  return text.includes(':') ? `[${text}]:${port}` : `${text}:${port}`;
}
