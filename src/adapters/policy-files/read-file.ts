import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';

export type ReadOptions = {
  /** Who may own the file, besides root. */
  owner: number;
  /** Whether a symbolic link may stand in its place: yes for what the user put there, no for what came with a project. */
  followLinks: boolean;
};

/**
 * Reads a policy file, or returns null when there is none.
 * @throws GatekeeperError when it is no regular file, too large, not UTF-8, or others could have written it
 */
export function readPolicyFile(path: string, { owner, followLinks }: ReadOptions): string | null {
  const refuse = (what: string, remedy?: string): never => {
    throw new GatekeeperError('GK_POLICY_INVALID', { what, where: path, ...(remedy ? { remedy } : {}) });
  };
  const fd = open(path, followLinks, refuse);
  if (fd === null) return null;
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) refuse('the policy is not a regular file');
    if (stat.uid !== owner && stat.uid !== 0) refuse(`the policy belongs to user ${stat.uid}`, `chown it to ${owner}`);
    if ((stat.mode & 0o002) !== 0) refuse('everyone can write the policy', 'take that away: chmod o-w');
    // A group that has its owner's number is that user's alone; any other may have members. A project's file is let be: it can only tighten.
    if (followLinks && (stat.mode & 0o020) !== 0 && stat.gid !== stat.uid)
      refuse(`group ${stat.gid} can write the policy`, 'take that away: chmod g-w');
    if (stat.size > LARGEST_POLICY_BYTES) refuse(`the policy is larger than ${LARGEST_POLICY_BYTES} bytes`);
    return decode(readWhole(fd), refuse);
  } finally {
    closeSync(fd);
  }
}

type Refuse = (what: string, remedy?: string) => never;

function open(path: string, followLinks: boolean, refuse: Refuse): number | null {
  // Without O_NONBLOCK a FIFO in the file's place would hold the daemon until somebody writes to it.
  const flags =
    constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY | (followLinks ? 0 : constants.O_NOFOLLOW);
  try {
    return openSync(path, flags);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    if (code === 'ELOOP') return refuse('the policy is a symbolic link', 'put the file itself there');
    return refuse(`the policy cannot be read (${code})`);
  }
}

/** At most a byte more than is allowed, whatever the file grew to meanwhile. */
function readWhole(fd: number): Buffer {
  const buffer = Buffer.alloc(LARGEST_POLICY_BYTES + 1);
  let length = 0;
  for (let count = 1; count > 0 && length < buffer.length; length += count) {
    count = readSync(fd, buffer, length, buffer.length - length, null);
  }
  return buffer.subarray(0, length);
}

function decode(bytes: Buffer, refuse: Refuse): string {
  if (bytes.length > LARGEST_POLICY_BYTES) refuse(`the policy is larger than ${LARGEST_POLICY_BYTES} bytes`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return refuse('the policy is not UTF-8 text');
  }
}

export const LARGEST_POLICY_BYTES = 1024 * 1024;
