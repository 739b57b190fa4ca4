import type { WayOut } from '../catalogue.ts';

/** Ways to other processes, and ways to outlive the run. */
export const PROCESSES: readonly WayOut[] = [
  { id: 'C01', title: 'looking into processes of the same user, or taking them over' },
  { id: 'C02', title: 'signals to processes outside' },
  { id: 'C03', title: 'limits, priorities and processors of processes outside' },
  { id: 'C04', title: "the supervisor's listener in the hands of the program", notTried: 'no row yet' },
  { id: 'C05', title: 'making oneself unreadable for the supervisor', notTried: 'no row yet' },
  {
    id: 'C06',
    title: 'outliving the run',
    tests: [
      {
        file: 'integration/supervision.test.ts',
        title: 'of the first process ends its daemonised children with the run',
      },
    ],
  },
  { id: 'C07', title: 'leaving the control group', notTried: 'no row yet' },
  { id: 'C08', title: 'the service manager and the message bus of the user', notTried: 'no row yet' },
  { id: 'C09', title: 'daemons of containers, machines and builds', notTried: 'no row yet' },
  { id: 'C10', title: 'control sockets of terminals and editors', notTried: 'no row yet' },
  { id: 'C11', title: 'the display, sound and input methods', notTried: 'no row yet' },
  { id: 'C12', title: 'agents that hold keys', notTried: 'no row yet' },
  { id: 'C13', title: 'daemons of developers that run already', notTried: 'no row yet' },
  { id: 'C14', title: 'set-user-id programs and schedulers', notTried: 'no row yet' },
  { id: 'C15', title: "files of the home that the user's programs execute later", notTried: 'no row yet' },
  { id: 'C16', title: 'files of the project that are executed later' },
  { id: 'C17', title: 'shared caches whose content is executed later', notTried: 'no row yet' },
  { id: 'C18', title: 'typing into the shared terminal' },
  { id: 'C19', title: 'terminals of others', notTried: 'no row yet' },
  { id: 'C20', title: "gatekeeper's own programs, run on ground that the program prepared", notTried: 'no row yet' },
  { id: 'C21', title: 'driving gatekeeper itself' },
  { id: 'C22', title: 'overwriting a helper of gatekeeper while it runs', notTried: 'no row yet' },
  { id: 'C23', title: 'using up processes, memory and disk', notTried: 'no row yet' },
  { id: 'C24', title: 'key rings, System V memory and message queues that all processes of a user share' },
  { id: 'C25', title: 'new namespaces' },
  { id: 'C26', title: "filters of one's own above gatekeeper's", notTried: 'no row yet' },
  { id: 'C27', title: 'a run that root started', notTried: 'no row yet' },
];
