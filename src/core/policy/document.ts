import type { ActionName, EffectName } from '../wire/messages.ts';
import type { CacheTool, CacheUse } from './cache-tools.ts';
import type { ConnectionTerms } from './connection-terms.ts';

/**
 * A piece of text and where it stands; line and column count from 1. `inset` is how far into the node the text begins, or -1 when
 * the file spells it differently (escapes, folded lines).
 */
export type Placed = { text: string; line: number; column: number; inset: number };

export type SubjectKey = 'path' | 'command' | 'destination';

export type RuleDocument = {
  line: number;
  column: number;
  effect: EffectName;
  subjects: Placed[];
  reason: string;
  override: boolean;
  log: boolean | undefined;
  timeoutMs: number;
  checkChildren: boolean;
  /** What a denied name looks like: as if it were not there. */
  hide: boolean;
  /** Which requests a network rule speaks of; undefined when of all. */
  methods: Placed[] | undefined;
  requestPaths: Placed[] | undefined;
  /** What it says of connections that it allows. */
  terms: ConnectionTerms;
  /** Of a rule that states a grant: its name, and when it ends in seconds of CLOCK_BOOTTIME (0: never). */
  grant?: { id: string; until: number };
};

export type BlockDocument = {
  actions: ActionName[];
  subject: SubjectKey;
  defaultEffect: { effect: EffectName; line: number } | undefined;
  log: boolean | undefined;
  rules: RuleDocument[];
};

export type LimitName = 'processes' | 'memory' | 'cpuTime' | 'openFiles';

/**
 * What becomes of a run when a change of its policy refuses what it may read by itself, without being asked: it ends, or somebody is warned.
 */
export const ON_TIGHTEN = ['end', 'warn'] as const;
export type OnTighten = (typeof ON_TIGHTEN)[number];

/** How a run starts: what of the environment it gets, how much it may use, whose caches; and when a change of its policy ends it. */
export type LaunchDocument = {
  env: { drop: Placed[]; pass: Placed[] };
  limits: Partial<Record<LimitName, { value: number; line: number }>>;
  caches: Map<CacheTool, { use: CacheUse; line: number }>;
  onTighten: { value: OnTighten; line: number } | undefined;
};

/** A policy file that obeys the schema; patterns in it are not parsed yet. */
export type PolicyDocument = {
  name: string;
  description: string;
  extends: Placed[];
  variables: Map<string, Placed>;
  launch: LaunchDocument;
  blocks: BlockDocument[];
};

export const SUBJECT_OF: Readonly<Record<ActionName, SubjectKey | null>> = {
  file_read: 'path',
  file_write: 'path',
  file_delete: 'path',
  unix_socket: 'path',
  shell_exec: 'command',
  network: 'destination',
  tool_call: null,
};
