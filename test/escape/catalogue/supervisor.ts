import type { WayOut } from '../catalogue.ts';

const NOBODY_IS_ASKED = 'nobody is asked during a run: what a rule says to ask about is denied';

/** Ways to break the supervisor, the daemon, or the person who answers them. */
export const SUPERVISOR: readonly WayOut[] = [
  {
    id: 'E01',
    title: 'signals that interrupt a call before it is seen',
    tests: [
      {
        file: 'escape/odd-programs.test.ts',
        title: 'builds pipelines while a timer interrupts every call, and loses none',
      },
    ],
  },
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
  {
    id: 'E03',
    title: 'waits that no signal can end',
    tests: [
      {
        file: 'escape/odd-programs.test.ts',
        title: 'is reached by its signal while it waits for a FIFO, a lock or a connection',
      },
    ],
  },
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
  {
    id: 'E05',
    title: 'memory that cannot be read in finite time',
    notTried:
      'a path in a page of a file whose server does not answer: who is stuck there is replaced as in a lookup (E04), and userfaultfd there is none',
  },
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
  {
    id: 'E10',
    title: "the listener's corner cases",
    tests: [
      'interrupted_receiving_goes_on',
      'broken_receiving_ends_the_run',
      'calls_of_the_dead_are_not_carried_out',
      'whoever_hands_over_a_descriptor_is_not_interrupted',
      'the_end_of_all_callers_ends_the_receivers',
    ].map((title) => ({ file: 'native-hooks/test/loop_test.c', title })),
  },
  {
    id: 'E11',
    title: 'numbers of calls and processes that are used again',
    tests: [
      { file: 'escape/bounds.test.ts', title: 'outlives the death of callers in the middle of their calls' },
      { file: 'native-hooks/test/loop_test.c', title: 'a_lost_caller_leaves_no_effect_behind' },
    ],
  },
  {
    id: 'E12',
    title: 'a denial that arrives as success',
    tests: [
      { file: 'native-hooks/test/loop_test.c', title: 'errors_are_errors' },
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
  { id: 'E15', title: 'floods of questions', notTried: NOBODY_IS_ASKED },
  {
    id: 'E16',
    title: 'text that changes what a question looks like',
    tests: [
      { file: 'unit/core/text/visible.test.ts', title: 'never lets through what a terminal acts on' },
      { file: 'unit/core/text/visible.test.ts', title: 'shows different texts differently' },
    ],
    notTried: `the question itself: ${NOBODY_IS_ASKED}`,
  },
  { id: 'E17', title: 'a change between the question and its answer', notTried: NOBODY_IS_ASKED },
  { id: 'E18', title: 'questions that nobody answers', notTried: NOBODY_IS_ASKED },
  {
    id: 'E19',
    title: 'messages that hurt their reader',
    tests: [
      { file: 'native-hooks/test/frame_test.c', title: 'malformed_frames_are_refused' },
      { file: 'native-hooks/test/frame_test.c', title: 'a_tag_occurs_once' },
      { file: 'unit/core/wire/frame.test.ts', title: 'is refused when it would be too long' },
    ],
  },
  {
    id: 'E20',
    title: 'a log that cannot be written',
    tests: [{ file: 'integration/supervision.test.ts', title: 'denies what cannot be recorded, and says so' }],
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
  {
    id: 'E23',
    title: 'arguments without bounds',
    tests: [
      {
        file: 'escape/odd-programs.test.ts',
        title: 'is started with arguments that are none, too many, too long or nowhere as it is outside',
      },
      {
        file: 'escape/odd-programs.test.ts',
        title: 'is denied however long its arguments are, and the receipt says how much it leaves out',
      },
    ],
  },
  {
    id: 'E24',
    title: 'writing to what the program can block',
    tests: [
      {
        file: 'escape/odd-programs.test.ts',
        title: 'is judged while its terminal takes nothing, in which nobody else waits',
      },
    ],
  },
  {
    id: 'E25',
    title: 'a clock that jumps',
    tests: [
      {
        file: 'unit/adapters/grant-store/grant-store.test.ts',
        title: 'for a while ends by the clock since boot, and with the boot',
      },
      { file: 'integration/grants.test.ts', title: 'ends in time though the daemon was killed' },
    ],
    notTried: 'setting the clock of the machine of the tests; what ends, ends by the clock since boot',
  },
  {
    id: 'E26',
    title: 'the wrong victim of a shortage of memory',
  },
];
