import type { ActionName } from '../wire/messages.ts';
import { parseCommandPattern } from './command-pattern.ts';
import { NO_TERMS } from './connection-terms.ts';
import { parseDestination } from './destination.ts';
import { type BlockDocument, type Placed, SUBJECT_OF } from './document.ts';
import type { LayeredFile } from './layers.ts';
import { parsePathPattern } from './path-pattern.ts';
import { PatternProblem } from './pattern-problem.ts';
import { placesOf, type Scope } from './scope.ts';

/** A person's answer to rules that ask, for one action and what a pattern of the policy's dialect names. */
export type TimedGrant = {
  id: string;
  action: ActionName;
  pattern: string;
  /** Seconds of CLOCK_BOOTTIME at which it ends; 0 if it does not. */
  until: number;
};

/** The layer of what was granted; none when nothing was. Receipts name a rule of it `grants:ID`. */
export function grantLayers(grants: readonly TimedGrant[]): LayeredFile[] {
  if (grants.length === 0) return [];
  const source = { name: 'grants', layer: 'grants', text: JSON.stringify(grants) } as const;
  const document = {
    name: 'grants',
    description: '',
    extends: [],
    variables: new Map<string, Placed>(),
    launch: { env: { drop: [], pass: [] }, limits: {}, caches: new Map(), onTighten: undefined },
    blocks: grants.map(blockOf),
  };
  return [{ source, document, ancestors: new Set() }];
}

/** @throws PatternProblem when this is no pattern for that action */
export function checkGrant(action: ActionName, pattern: string): void {
  const subject = SUBJECT_OF[action];
  if (subject === 'path') parsePathPattern(pattern, ANYWHERE, () => undefined);
  else if (subject === 'command') parseCommandPattern(pattern, ANYWHERE);
  else if (subject === 'destination') parseDestination(pattern);
  else throw new PatternProblem(`${action} cannot be granted`, 0);
}

function blockOf({ id, action, pattern, until }: TimedGrant, index: number): BlockDocument {
  const place = { line: index + 1, column: 1 };
  const rule = {
    ...place,
    effect: 'allow',
    subjects: [{ text: pattern, ...place, inset: 0 }],
    reason: 'granted',
    override: false,
    log: true,
    timeoutMs: 0,
    checkChildren: false,
    hide: false,
    methods: undefined,
    requestPaths: undefined,
    terms: NO_TERMS,
    grant: { id, until },
  } as const;
  // The reader leaves tool calls out: nothing asks about them.
  const subject = SUBJECT_OF[action] ?? 'path';
  return {
    actions: [action],
    subject,
    defaultEffect: undefined,
    log: undefined,
    rules: [{ ...rule, subjects: [...rule.subjects] }],
  };
}

const root = { lexical: Uint8Array.of(0x2f, 0x78), real: Uint8Array.of(0x2f, 0x78) };
/** The places that stand in any policy; where they lie does not matter to whether a pattern is one. */
const ANYWHERE: Scope = { places: placesOf({ home: root, workspace: root, tmp: root }), texts: new Map() };
