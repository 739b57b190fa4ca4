import { createHash } from 'node:crypto';
import { originOf, sealCheckpoint } from '../../src/core/audit/checkpoint.ts';
import { sign } from './audit-chain.ts';

/** A checkpoint of a log that is no log: its root is made from its name and size. */
export const noteOf = (log: string, size: number): string =>
  sealCheckpoint({ origin: originOf(log), size, root: rootOf(log, size) }, '0badcafe', sign);

export const rootOf = (log: string, size: number): string =>
  createHash('sha256').update(`${log} ${size}`).digest('base64');
