import type { EffectName } from '../wire/messages.ts';
import type { ConnectionTerms } from './connection-terms.ts';
import type { HostEntry } from './destination.ts';
import type { Token } from './token.ts';

export const RULE_FLAG = {
  override: 1,
  log: 2,
  checkChildren: 4,
  hide: 8,
  anyProgram: 16,
  protection: 32,
  methods: 64,
  requestPaths: 128,
} as const;

/** A policy file that takes part, in the order of the image's FILES. */
export type FileEntry = {
  name: string;
  layer: number;
  /** Indices of the files whose stricter rules an override of this one pierces. */
  pierces: Set<number>;
  digest: string;
};

/** One rule for one action and one pattern, or the statement of a default (no pattern). */
export type RuleEntry = {
  action: number;
  effect: EffectName;
  flags: number;
  file: number;
  line: number;
  reason: string;
  label: string;
  pattern: string;
  timeoutMs: number;
  /** Rows of tokens, with the kind of automaton that they belong to. */
  rows: { kind: number; tokens: Token[] }[];
  hosts: HostEntry[];
  /** Methods with a space between them; what it means without the flag is nothing. */
  methods: string;
  /** What it says of connections that it allows. */
  terms: ConnectionTerms;
  /** Of a grant: when it ends, in seconds of CLOCK_BOOTTIME; 0 if never. */
  until: number;
};

/** What is said of an action when no rule matches. */
export type ActionDefault = { effect: EffectName; stated: boolean; log: boolean; rule: RuleEntry | null };

export type RuleTable = { files: FileEntry[]; rules: RuleEntry[]; defaults: ActionDefault[] };
