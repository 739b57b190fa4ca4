import type { WayOut } from '../catalogue.ts';

/** Ways to break the supervisor, the daemon, or the person who answers them. */
export const SUPERVISOR: readonly WayOut[] = [
  { id: 'E01', title: 'signals that interrupt a call before it is seen', notTried: 'no row yet' },
  {
    id: 'E02',
    title: 'signals that interrupt a call after it was carried out',
    tests: [
      {
        file: 'escape/bounds.test.ts',
        title: 'shows no name twice made or twice removed when a timer interrupts every change',
      },
    ],
  },
  { id: 'E03', title: 'waits that no signal can end', notTried: 'no row yet' },
  {
    id: 'E04',
    title: 'calls that block the supervisor: FIFOs, leases, sockets',
    tests: [
      {
        file: 'escape/bounds.test.ts',
        title: 'goes on while 600 threads wait for FIFOs, and lets each of them meet its writer',
      },
      {
        file: 'escape/bounds.test.ts',
        title: 'goes on while 40 lookups wait for a file server that does not answer, and ends',
      },
    ],
  },
  { id: 'E05', title: 'memory that cannot be read in finite time', notTried: 'no row yet' },
  {
    id: 'E06',
    title: 'floods of calls',
    tests: [
      {
        file: 'escape/bounds.test.ts',
        title: 'lets a process open files while another floods the supervisor from 2,000 threads',
      },
      { file: 'escape/bounds.test.ts', title: 'lets another run open files meanwhile' },
    ],
  },
  {
    id: 'E07',
    title: 'running out of descriptors or memory',
    tests: [
      {
        file: 'escape/bounds.test.ts',
        title: 'refuses while its supervisor has no descriptors, lets nothing through, and goes on when it has',
      },
    ],
    notTried: 'memory: a machine that has none left ends the supervisor, and with it the run',
  },
  {
    id: 'E08',
    title: "the supervisor's death",
    tests: [
      { file: 'integration/supervision.test.ts', title: 'of the supervisor stops the agent and all that it started' },
    ],
  },
  {
    id: 'E09',
    title: "the daemon's death or silence",
    tests: [{ file: 'integration/supervision.test.ts', title: 'of the daemon opens nothing up and loses no receipt' }],
  },
  { id: 'E10', title: "the listener's corner cases", notTried: 'no row yet' },
  {
    id: 'E11',
    title: 'numbers of calls and processes that are used again',
    tests: [{ file: 'escape/bounds.test.ts', title: 'outlives the death of callers in the middle of their calls' }],
  },
  {
    id: 'E12',
    title: 'a denial that arrives as success',
    tests: [
      {
        file: 'integration/command-line.test.ts',
        title: 'leaves what the policy allows as it is, refuses the rest, and says so in the log',
      },
      {
        file: 'integration/supervision.test.ts',
        title: 'leaves no file in the project that the program did not write',
      },
    ],
  },
  {
    id: 'E13',
    title: 'a start that waits for itself',
    tests: [
      { file: 'integration/command-line.test.ts', title: 'passes standard input, output and error through, as pipes' },
    ],
    notTried: 'hundreds of starts on one processor',
  },
  {
    id: 'E14',
    title: 'a machine that says it enforces and does not',
    tests: [{ file: 'integration/command-line.test.ts', title: 'the doctor finds a machine that enforces' }],
    notTried: 'kernels and containers that lack a part: the machine of the tests has all of them',
  },
  { id: 'E15', title: 'floods of questions', notTried: 'no row yet' },
  { id: 'E16', title: 'text that changes what a question looks like', notTried: 'no row yet' },
  { id: 'E17', title: 'a change between the question and its answer', notTried: 'no row yet' },
  { id: 'E18', title: 'questions that nobody answers', notTried: 'no row yet' },
  { id: 'E19', title: 'messages that hurt their reader', notTried: 'no row yet' },
  {
    id: 'E20',
    title: 'a log that cannot be written',
    tests: [{ file: 'integration/supervision.test.ts', title: 'denies what cannot be recorded' }],
  },
  {
    id: 'E21',
    title: 'a policy that changes while it is read',
    tests: [
      { file: 'unit/daemon/daemon.test.ts', title: 'is not taken when it does not compile, and says so until it does' },
      { file: 'integration/supervision.test.ts', title: 'of a policy that is tightened meanwhile obeys the new one' },
      { file: 'unit/core/policy/layers.test.ts', title: 'of a project can only tighten, and say what they drop' },
    ],
  },
  {
    id: 'E22',
    title: 'patterns and paths that take for ever to compare',
    tests: [
      { file: 'unit/core/policy/automata.test.ts', title: 'decide long paths against costly patterns in linear time' },
    ],
  },
  { id: 'E23', title: 'arguments without bounds', notTried: 'no row yet' },
  { id: 'E24', title: 'writing to what the program can block', notTried: 'no row yet' },
  {
    id: 'E25',
    title: 'a clock that jumps',
    notTried: 'setting the clock of the machine of the tests; no decision hangs on a clock',
  },
  {
    id: 'E26',
    title: 'the wrong victim of a shortage of memory',
  },
];
