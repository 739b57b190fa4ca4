import { EGRESS_REASON } from '../../core/egress/reason.ts';
import { visible } from '../../core/text/visible.ts';
import type { ReasonCode } from '../../core/wire/messages.ts';

/** What a reason of a receipt means, for people; one that a rule gives is its own words. */
export function reasonText(reason: string | undefined): string {
  if (reason === undefined) return 'the log does not say why';
  const table: Readonly<Record<string, string>> = { ...EGRESS_REASON, ...REASON_TEXT };
  return Object.hasOwn(table, reason) ? table[reason]! : visible(reason);
}

const REASON_TEXT: Readonly<Record<ReasonCode, string>> = {
  'no-rule': 'no rule allows it',
  'ask-unanswered': 'a human has to allow it, and nobody did',
  'self-protection': 'it is part of gatekeeper itself',
  'foreign-process': 'it is a process outside the run',
  'foreign-terminal': 'it is a terminal of somebody else',
  device: 'it is a device that runs do not get',
  'denied-identity': 'the same file has another name, and that one is denied',
  'move-loosens': 'it would move something to where less is denied',
  'git-config': 'it would make git run a program',
  'git-link': 'it would lead git to a repository that is not guarded',
  'anonymous-program': 'the program has no name in the tree of files',
  'loader-program': 'a loader would run a program that nobody judged',
  'foreign-abi': 'the program is made for another kind of machine',
  'exec-mismatch': 'what ran was not what was approved',
  'unreadable-memory': 'its arguments could not be read',
  'foreign-mount': 'it lies on a mount that the run may not use so',
  credentials: 'the program runs as somebody else, or with more rights',
  'journal-failed': 'the decision could not be recorded',
  resources: 'there was no room left for it',
  transient: 'what it named changed while it was looked at',
  'bind-address': 'runs do not listen at this address',
  'abstract-socket': 'sockets without a name in the tree of files are refused',
  'unhooked-program': 'at the level of the hook, a program that would not load it is judged by nobody',
};
