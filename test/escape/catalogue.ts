import { ENVIRONMENT } from './catalogue/environment.ts';
import { FILES } from './catalogue/files.ts';
import { NETWORK } from './catalogue/network.ts';
import { PROCESSES } from './catalogue/processes.ts';
import { SUPERVISOR } from './catalogue/supervisor.ts';

/**
 * One way out, or one way to break what closes it. Numbers are never given again. A way out is covered by rows that name its
 * number, by tests elsewhere, or it is not tried, with the reason. It may be covered and have a part that is not tried.
 */
export type WayOut = {
  id: string;
  title: string;
  /** Tests outside of the tables that cover it: file beneath test or native-hooks, and the title as it stands there. */
  tests?: readonly { file: string; title: string }[];
  /** What of it is not tried, and why. */
  notTried?: string;
};

export type Group = { letter: string; title: string; ways: readonly WayOut[] };

export const GROUPS: readonly Group[] = [
  { letter: 'A', title: 'The environment of a program', ways: ENVIRONMENT },
  { letter: 'B', title: 'Files and programs', ways: FILES },
  { letter: 'C', title: 'Processes', ways: PROCESSES },
  { letter: 'D', title: 'The network', ways: NETWORK },
  { letter: 'E', title: 'The supervisor and the daemon', ways: SUPERVISOR },
];
