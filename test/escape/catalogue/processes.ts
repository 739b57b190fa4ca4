import type { WayOut } from '../catalogue.ts';

/** Ways to other processes, and ways to outlive the run. */
export const PROCESSES: readonly WayOut[] = [
  { id: 'C01', title: 'looking into processes of the same user, or taking them over' },
  { id: 'C02', title: 'signals to processes outside' },
  { id: 'C03', title: 'limits, priorities and processors of processes outside' },
  {
    id: 'C04',
    title: "the supervisor's listener in the hands of the program",
    tests: [{ file: 'escape/leaving.test.ts', title: 'is in the hands of its supervisor alone' }],
  },
  {
    id: 'C05',
    title: 'making oneself unreadable for the supervisor',
    tests: [{ file: 'escape/leaving.test.ts', title: 'work, and are judged like all others' }],
  },
  {
    id: 'C06',
    title: 'outliving the run',
    tests: [
      {
        file: 'integration/supervision.test.ts',
        title: 'of the first process ends its daemonised children with the run',
      },
      { file: 'integration/supervision.test.ts', title: 'of the supervisor stops the agent and all that it started' },
      { file: 'integration/supervision.test.ts', title: 'of the guardian does too' },
      { file: 'integration/supervision.test.ts', title: 'of the killer, which is to end the run then, ends it' },
      {
        file: 'integration/detach.test.ts',
        title: 'returns while the run goes on, under its policy, until kill ends it with all that it started',
      },
    ],
  },
  {
    id: 'C07',
    title: 'leaving the control group',
  },
  {
    id: 'C08',
    title: 'the service manager and the message bus of the user',
    notTried: 'the service manager itself: machines of tests need not have one; its sockets are tried like any other',
  },
  {
    id: 'C09',
    title: 'daemons of containers, machines and builds',
  },
  {
    id: 'C10',
    title: 'control sockets of terminals and editors',
  },
  {
    id: 'C11',
    title: 'the display, sound and input methods',
    notTried: 'a display itself: machines of tests have none; its sockets are tried like any other',
  },
  {
    id: 'C12',
    title: 'agents that hold keys',
  },
  {
    id: 'C13',
    title: 'daemons of developers that run already',
  },
  {
    id: 'C14',
    title: 'set-user-id programs and schedulers',
  },
  {
    id: 'C15',
    title: "files of the home that the user's programs execute later",
    tests: [{ file: 'golden/presets.test.ts', title: '$action $path $command $destination: $expect' }],
    notTried: 'real files of a home: the suite is not to change that of whom it runs as',
  },
  { id: 'C16', title: 'files of the project that are executed later' },
  {
    id: 'C17',
    title: 'shared caches whose content is executed later',
    tests: [
      { file: 'golden/presets.test.ts', title: '$action $path $command $destination: $expect' },
      {
        file: 'integration/launch-terms.test.ts',
        title: 'go with the run as what they are: nothing behind a link that it left in their place does',
      },
    ],
    notTried: 'caches that docs/limits.md names stay writable',
  },
  { id: 'C18', title: 'typing into the shared terminal' },
  {
    id: 'C19',
    title: 'terminals of others',
    tests: [
      { file: 'escape/leaving.test.ts', title: 'that was the run’s own means nothing once another terminal has it' },
    ],
    notTried:
      "escape sequences to the run's own terminal: programs are allowed to draw on it, gatekeeper does not stand in between",
  },
  {
    id: 'C20',
    title: "gatekeeper's own programs, run on ground that the program prepared",
    tests: [{ file: 'escape/leaving.test.ts', title: 'gives no program of a run %s' }],
    notTried:
      "the daemon executes no program of anybody's, and the command line only the supervisor and what was typed",
  },
  {
    id: 'C21',
    title: 'driving gatekeeper itself',
    tests: [{ file: 'escape/leaving.test.ts', title: 'gives no program of a run %s' }],
  },
  {
    id: 'C22',
    title: 'overwriting a helper of gatekeeper while it runs',
  },
  {
    id: 'C23',
    title: 'using up processes, memory and disk',
    tests: [
      {
        file: 'integration/limits.test.ts',
        title: 'stop a fork bomb, which harms neither the supervisor nor the daemon nor another run',
      },
      { file: 'unit/core/policy/launch-terms.test.ts', title: 'are the strictest of all files' },
    ],
    notTried: 'a bomb without limits in the policy, which would take the machine of the tests with it; disk',
  },
  { id: 'C24', title: 'key rings, System V memory and message queues that all processes of a user share' },
  { id: 'C25', title: 'new namespaces' },
  {
    id: 'C26',
    title: "filters of one's own above gatekeeper's",
  },
  {
    id: 'C27',
    title: 'a run that root started',
  },
];
