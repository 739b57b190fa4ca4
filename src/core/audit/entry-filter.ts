import { ACTION, VERDICT } from '../wire/messages.ts';
import { AUDIT_EVENTS, type AuditRecord } from './record.ts';
import { targetGlob } from './target-glob.ts';

/** Which entries are wanted; what is left out does not matter. Several of one kind: any of them. */
export type EntryWishes = {
  /** Identifier, its beginning, or name, which records carry as `agent`. */
  run?: string | undefined;
  verdicts?: readonly VerdictWish[] | undefined;
  actions?: readonly string[] | undefined;
  /** A pattern for what was asked for: path, destination or command. */
  target?: string | undefined;
  /** Milliseconds of the epoch. */
  since?: number | undefined;
};

/** `ask`: what a rule asked somebody about, whatever came of it. */
export const VERDICT_WISHES = [...(Object.keys(VERDICT) as (keyof typeof VERDICT)[]), 'ask'] as const;
export type VerdictWish = (typeof VERDICT_WISHES)[number];

/** What `action` of an entry may be. */
export const ENTRY_ACTIONS: readonly string[] = [...Object.keys(ACTION), ...AUDIT_EVENTS];

export type EntryFilter = {
  /** Whether a line could be of a wanted entry, without the cost of parsing it. */
  mayMatch: (line: string) => boolean;
  matches: (record: AuditRecord) => boolean;
  since: number | undefined;
  /** Whether every entry is wanted. */
  all: boolean;
};

export function entryFilter(wishes: EntryWishes): EntryFilter {
  const { run, verdicts = [], actions = [], target, since } = wishes;
  const needles = [
    ...(run === undefined ? [] : [[`"run":${open(run)}`, `"agent":${JSON.stringify(run)}`]]),
    ...(verdicts.length === 0 ? [] : [verdicts.flatMap(needlesOf)]),
    ...(target === undefined ? [] : wordOf(target)),
    ...(actions.length === 0 ? [] : [actions.map((action) => `"action":${JSON.stringify(action)}`)]),
  ];
  const tests: ((record: AuditRecord) => boolean)[] = [];
  if (run !== undefined) tests.push((record) => record.run?.startsWith(run) || record.agent === run);
  if (verdicts.length > 0) tests.push((record) => verdicts.some((verdict) => isOf(verdict, record)));
  if (actions.length > 0) tests.push(({ action }) => actions.includes(action));
  if (target !== undefined) tests.push(targetTest(target));
  if (since !== undefined) tests.push((record) => Date.parse(record.until ?? record.time) >= since);
  return {
    mayMatch: (line) => needles.every((group) => group.some((needle) => line.includes(needle))),
    matches: (record) => tests.every((test) => test(record)),
    since,
    all: tests.length === 0,
  };
}

/** A string that begins so, as it stands in JSON. */
const open = (text: string): string => JSON.stringify(text).slice(0, -1);

function needlesOf(verdict: VerdictWish): string[] {
  return verdict === 'ask' ? ['"source":"silence"', '"approver":"', '"grant":"'] : [`"verdict":"${verdict}"`];
}

/** The longest part of a pattern that stands in every line that it takes; what a host, its port and a path are put together with does not. */
function wordOf(pattern: string): string[][] {
  if (/[[{]/.test(pattern)) return [];
  const [longest = ''] = pattern.split(/[/:*?\\]+/).sort((one, other) => other.length - one.length);
  return longest === '' ? [] : [[JSON.stringify(longest).slice(1, -1)]];
}

function isOf(verdict: VerdictWish, { verdict: found, source, approver, grant }: AuditRecord): boolean {
  return verdict === 'ask' ? source === 'silence' || approver !== undefined || grant !== undefined : found === verdict;
}

function targetTest(pattern: string): (record: AuditRecord) => boolean {
  // An address of IPv6 as people write it with a port is no set of characters.
  const matches = targetGlob(pattern.replace(/^\[(?=[^\]]*:[^\]]*:)([\da-f:.]+)\]/i, '\\[$1\\]'));
  return (record) => targetsOf(record).some(matches);
}

/** What was asked for, in every way in which a person may name it. */
function targetsOf({ target, target2, command, destination, address, port, method, path }: AuditRecord): string[] {
  const texts = [target, target2, command, destination, address].filter((text) => text !== undefined);
  for (const host of [destination, address]) {
    if (host === undefined || port === undefined) continue;
    const place = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    texts.push(place);
    if (method !== undefined) texts.push(`${host}${path ?? ''}`, `${place}${path ?? ''}`);
  }
  return texts;
}
