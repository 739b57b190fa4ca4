import { parseAddress } from '../egress/address.ts';
import { parseHostName } from '../egress/host-name.ts';
import { canonicalRequestPath } from '../egress/request-path.ts';
import { decideHost } from '../engine/decide.ts';
import { injectionsFor } from '../engine/egress-terms.ts';
import type { PolicyImage } from '../engine/image.ts';
import { moveLoosens } from '../engine/move.ts';
import { namesProgram } from './judge-command.ts';
import { bytesOf, type RecordedDecision } from './recorded.ts';

/** What refuses without a rule; a closed list, since whatever else claims to is a receipt that nobody wrote. */
type BuiltIn = {
  /** Not softened by a simulated run. */
  always?: true;
  /** Whether the image bears it out; undefined: what it looked at is on no receipt. */
  check?: (image: PolicyImage, record: RecordedDecision) => boolean | undefined;
};

/**
 * By their names on receipts (wire/messages.ts, egress/reason.ts). Most look at what processes, files or connections are, of which a receipt does not tell:
 * those are counted by name.
 */
export const BUILT_IN: Readonly<Record<string, BuiltIn>> = {
  'self-protection': { always: true },
  'foreign-process': { always: true },
  'exec-mismatch': { always: true },
  'unreadable-memory': { always: true },
  'journal-failed': { always: true },
  resources: { always: true },
  'run-unknown': { always: true },
  'secret-unknown': { always: true },
  transient: {},
  'foreign-terminal': {},
  device: {},
  'denied-identity': {},
  'git-config': {},
  'git-link': {},
  'anonymous-program': {},
  'foreign-abi': {},
  'foreign-mount': {},
  credentials: {},
  'unhooked-program': {},
  // A socket of a family that no rule can speak of, or one that has lost its name.
  'no-rule': { check: (_image, { port }) => (port === undefined ? undefined : false) },
  'abstract-socket': { check: (_image, { target }) => target?.startsWith('@') ?? false },
  'move-loosens': { check: loosens },
  'loader-program': { check: isUnnamedLoader },
  'bind-address': { check: isUnruledAddress },
  'secret-in-clear': { always: true, check: putsSecretIn },
  'sni-mismatch': {},
  'sni-missing': {},
  'not-inspected': {},
  'authority-lost': {},
  'authority-refused': {},
};

/** What TLS and requests turned out to be, after the destination was decided. */
export const OF_CONTENT: ReadonlySet<string> = new Set([
  'sni-mismatch',
  'sni-missing',
  'not-inspected',
  'authority-lost',
  'authority-refused',
  'resources',
]);

/** Symbolic links and what mounts show elsewhere are compared by more than the two names. */
function loosens(image: PolicyImage, record: RecordedDecision): boolean | undefined {
  const [source, destination] = [bytesOf(record, 'target'), bytesOf(record, 'target2')];
  if (record.action !== 'file_delete' || !source || !destination) return undefined;
  return moveLoosens(image, source, destination) || undefined;
}

/** A rule for a script says nothing about the loader that its first line names. */
function isUnnamedLoader(image: PolicyImage, record: RecordedDecision): boolean | undefined {
  if (record.interpreter !== undefined) return undefined;
  const named = namesProgram(image, record);
  return named === undefined ? undefined : !named;
}

function isUnruledAddress(image: PolicyImage, { destination = '', port = 0 }: RecordedDecision): boolean {
  const address = parseAddress(destination);
  if (!address) return false;
  const { effect, source } = decideHost(image, { address, port });
  return effect !== 'allow' || source !== 'rule';
}

function putsSecretIn(image: PolicyImage, record: RecordedDecision): boolean {
  const { destination = '', port = 0, method, path = '' } = record;
  const address = parseAddress(destination);
  const name = address ? undefined : parseHostName(destination);
  const request = { method: method ?? '', path: canonicalRequestPath(path) };
  if (address) return injectionsFor(image, { address, port, request }).length > 0;
  return name !== undefined && injectionsFor(image, { name, port, request }).length > 0;
}
