import type { EscapeRow } from './row.ts';
import { CHANGING } from './rows/changing.ts';
import { FOREIGN } from './rows/foreign.ts';
import { NETWORK } from './rows/network.ts';
import { PROCESSES } from './rows/processes.ts';
import { RACES } from './rows/races.ts';
import { READING } from './rows/reading.ts';
import { SOCKETS } from './rows/sockets.ts';

/** Every table, by the name under which the suite shows it. */
export const TABLES: Readonly<Record<string, readonly EscapeRow[]>> = {
  reading: READING,
  changing: CHANGING,
  network: NETWORK,
  sockets: SOCKETS,
  processes: PROCESSES,
  foreign: FOREIGN,
  races: RACES,
};
