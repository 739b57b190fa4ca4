import { facesOf } from '../core/egress/address.ts';
import { classOf } from '../core/egress/address-class.ts';
import { parseAuthority } from '../core/egress/authority.ts';
import type { Answer } from '../core/engine/answer.ts';

/** One line that tells how a denied request could be allowed, if it can be at all. */
export function howToAllow(
  { winner, action, source, verdict, connection }: Answer,
  subject: string,
  userPolicy: string,
): string | undefined {
  if (source === 'protection') return 'nothing can: gatekeeper keeps this from every run';
  if (winner && verdict === 'ask') return `gatekeeper grants add ${action} ${subject}`;
  const key = action === 'network' ? 'destination' : action === 'shell_exec' ? 'command' : 'path';
  if (action === 'network' && !winner && connection?.inspect)
    return 'widen methods or paths of a rule that inspects there';
  if (action === 'network' && !winner) {
    const command = `gatekeeper net allow ${subject}`;
    return isMetadata(subject) ? `${command}; but clouds hand out credentials at this address` : command;
  }
  const rule = `{ ${key}: ${JSON.stringify(subject)}, effect: allow`;
  if (!winner) return `add to ${userPolicy} under action ${action}: ${rule} }`;
  if (winner.label.startsWith('project:'))
    return `change ${winner.label}: what a project's own file denies, no other layer allows`;
  if (/^(preset|builtin):/.test(winner.label)) {
    return `add to ${userPolicy} (with extends: [default]) under action ${action}: ${rule}, override: true }`;
  }
  if (winner.label.startsWith('system:')) return `ask the administrator to change ${winner.label}`;
  return `change ${winner.label}, or put beside it or into a file that extends its file: ${rule}, override: true }`;
}

/** Whether a destination is an address where clouds hand out credentials. */
export function isMetadata(destination: string): boolean {
  const host = parseAuthority(destination, 1)?.host;
  return host?.kind === 'address' && facesOf(host.address).some((face) => classOf(face) === 'metadata');
}
