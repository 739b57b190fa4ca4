/** Why a file or directory could not be written, for a person: without the name of a temporary file that stands in the system's own words. */
export function whyNotWritten(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return WORDS[code] ?? message ?? String(error);
}

const WORDS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EDQUOT: 'the quota is used up',
  EEXIST: 'it exists already',
  EISDIR: 'it is a directory',
  ENOENT: 'its directory does not exist',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'what should be its directory is a file',
  EPERM: 'operation not permitted',
  EROFS: 'the file system is read-only',
};
