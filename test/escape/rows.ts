import type { EscapeRow } from './row.ts';
import { CALLS } from './rows/calls.ts';
import { CHANGING } from './rows/changing.ts';
import { ENVIRONMENT } from './rows/environment.ts';
import { FOREIGN } from './rows/foreign.ts';
import { GIT } from './rows/git.ts';
import { HINTED } from './rows/hints.ts';
import { NAMES } from './rows/names.ts';
import { NETWORK } from './rows/network.ts';
import { PROCESSES } from './rows/processes.ts';
import { RACES } from './rows/races.ts';
import { READING } from './rows/reading.ts';
import { RESOLVING } from './rows/resolving.ts';
import { SOCKETS } from './rows/sockets.ts';
import { SPAWNS } from './rows/spawns.ts';
import { TREES } from './rows/trees.ts';

/** Every table, by the name under which the suite shows it. */
export const TABLES: Readonly<Record<string, readonly EscapeRow[]>> = {
  names: NAMES,
  calls: CALLS,
  trees: TREES,
  spawns: SPAWNS,
  environment: ENVIRONMENT,
  hints: HINTED,
  reading: READING,
  changing: CHANGING,
  git: GIT,
  network: NETWORK,
  resolving: RESOLVING,
  sockets: SOCKETS,
  processes: PROCESSES,
  foreign: FOREIGN,
  races: RACES,
};
