import type { WayOut } from '../catalogue.ts';

/** Ways to files and programs that a rule denies. */
export const FILES: readonly WayOut[] = [
  { id: 'B01', title: 'a path that changes in memory between the look and the call' },
  { id: 'B02', title: 'a path that cannot be read when it is looked at' },
  { id: 'B03', title: 'the same for reading only, which looks harmless' },
  { id: 'B04', title: 'the links of procfs that mean whoever follows them: the supervisor' },
  { id: 'B05', title: 'files of procfs that the supervisor may open and the program may not' },
  {
    id: 'B06',
    title: 'an open by the supervisor that no floor bounds',
    tests: [{ file: 'native-hooks/test/floor_test.c', title: 'domains_nest' }],
  },
  { id: 'B07', title: 'rights of the supervisor that the program has given up' },
  { id: 'B08', title: 'a thread with descriptors, directory or root of its own' },
  { id: 'B09', title: 'structures that change in memory between two reads' },
  { id: 'B10', title: 'junk in the upper half of registers that hold 32-bit values' },
  { id: 'B11', title: 'moving a directory away from its protection, or another into its place' },
  {
    id: 'B12',
    title: 'making a protected file that does not exist yet',
    tests: [{ file: 'escape/programs.test.ts', title: 'stays denied when it is created after the start' }],
  },
  { id: 'B13', title: 'a link or a file in place of a directory with protected names' },
  { id: 'B14', title: 'hard links to a denied file, new ones and old ones' },
  { id: 'B15', title: 'directories and links that change places while a call goes on' },
  { id: 'B16', title: 'paths that mean something else as text than as names: links, and `..` behind them' },
  { id: 'B17', title: 'creating a file through a link that leads nowhere' },
  { id: 'B18', title: 'every call that opens, makes, changes or removes, in each of its variants' },
  { id: 'B19', title: 'system calls that are newer than gatekeeper' },
  { id: 'B20', title: 'system calls of another ABI: 32-bit entry and x32' },
  { id: 'B21', title: 'io_uring, which works without system calls' },
  { id: 'B22', title: 'changing a file through a descriptor for reading' },
  { id: 'B23', title: 'flags that change what an open is: truncation, the access mode 3, append' },
  { id: 'B24', title: 'a file without a name that gets a protected one' },
  {
    id: 'B25',
    title: 'names that read like something else, and paths longer than the kernel shows',
  },
  { id: 'B26', title: 'mounts and namespaces that show a protected file elsewhere' },
  {
    id: 'B27',
    title: 'bind mounts and snapshots that the host has already',
    tests: [{ file: 'escape/mounts.test.ts', title: '$title, is had outside and not inside' }],
    notTried: 'snapshots of btrfs and zfs, which are directories with files of their own: rules have to name them',
  },
  { id: 'B28', title: 'calls that open without opening: trees, handles, queues' },
  {
    id: 'B29',
    title: 'names that differ for gatekeeper and are one for the file system: case, Unicode, bytes',
    notTried:
      'file systems that fold case: this kernel has none (CONFIG_UNICODE, CONFIG_VFAT_FS); names are compared as bytes',
  },
  {
    id: 'B30',
    title: 'spellings of a path: slashes, dots, empty, none',
    tests: ['opens', 'opens_beneath', 'one_name', 'two_names', 'descriptors'].map((title) => ({
      file: 'native-hooks/test/files_diff_test.c',
      title,
    })),
  },
  {
    id: 'B31',
    title: 'descriptors that the caller had open',
    tests: [{ file: 'escape/programs.test.ts', title: 'is not left behind by descriptors that the caller had open' }],
  },
  { id: 'B32', title: 'files that the kernel writes: core dumps' },
  {
    id: 'B33',
    title: 'finding out whether a hidden file exists',
    tests: [
      { file: 'integration/hidden-names.test.ts', title: 'are not there: %s' },
      {
        file: 'integration/hidden-names.test.ts',
        title: 'are in no listing, however long, and nothing else is missing',
      },
    ],
    notTried: 'what no rule hides: that it exists is no secret, as SECURITY.md says',
  },
  { id: 'B34', title: 'trees that are no files: devices, sysctls, control groups' },
  { id: 'B35', title: 'device nodes' },
  {
    id: 'B36',
    title: 'descriptors that are older than a rule',
    tests: [
      { file: 'integration/supervision.test.ts', title: 'of a policy that is tightened meanwhile obeys the new one' },
    ],
  },
  {
    id: 'B37',
    title: 'watching directories that may not be read',
    notTried: 'inotify: whoever watches a name learns that it exists and when it changes, also where a rule hides it',
  },
  { id: 'B38', title: 'path descriptors, which cannot be handed over' },
  {
    id: 'B39',
    title: 'the path or the arguments of a spawn that change after the verdict',
    tests: [
      {
        file: 'escape/spawn-race.test.ts',
        title: 'never gets it to say a word inside, and the run ends when the race was won',
      },
    ],
    notTried:
      'a number of spawns: a run ends with the first race that it wins, which takes some hundred; runs are repeated',
  },
  {
    id: 'B40',
    title: 'the loader called as a program, with the denied program as its argument',
    tests: [{ file: 'escape/programs.test.ts', title: 'is read by %s outside and not inside' }],
  },
  { id: 'B41', title: 'programs without a name: memory files, deleted files, nameless files' },
  { id: 'B42', title: 'interpreters that the kernel opens itself' },
  {
    id: 'B43',
    title: 'a denied script given to its interpreter',
    tests: [{ file: 'escape/programs.test.ts', title: 'is read by %s outside and not inside' }],
  },
  { id: 'B44', title: 'forms of execveat: descriptors, empty paths, checks' },
  { id: 'B45', title: 'magic links of procfs: roots, directories, descriptors opened again with other rights' },
];
