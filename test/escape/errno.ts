/** The errno's name that a program's last line ends with, or whose text it ends with as strerror(3) has it; undefined when there is none. */
export function errnoNameOf(line: string): string | undefined {
  // Not a part of a path: directories of tests have names of chance.
  const name = /(?<![-/\w])(E[A-Z0-9]{2,})(?![-/\w])/.exec(line)?.[1];
  if (name !== undefined) return name;
  return Object.entries(TEXTS).find(([text]) => line.includes(text))?.[1];
}

const TEXTS: Readonly<Record<string, string>> = {
  'Permission denied': 'EACCES',
  'Operation not permitted': 'EPERM',
  'No such file or directory': 'ENOENT',
  'Function not implemented': 'ENOSYS',
  'Operation not supported': 'EOPNOTSUPP',
  'No such device or address': 'ENXIO',
  'Exec format error': 'ENOEXEC',
  'Connection refused': 'ECONNREFUSED',
};
