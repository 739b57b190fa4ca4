import { originOf } from '../../src/core/audit/checkpoint.ts';
import type { Row } from './tamper-rows.ts';

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

/** What is done to the checkpoint. */
export const ROWS_OF_CHECKPOINTS: readonly Row[] = [
  {
    technique: 'the checkpoint is removed',
    kind: 'checkpoint-missing',
    tamper: (log) => {
      log.checkpoint = undefined;
      return log.last;
    },
  },
  ...[0, 1, 20, 60, 110, 180].map(
    (length): Row => ({
      technique: `the checkpoint is cut to ${length} bytes`,
      kind: 'checkpoint-missing',
      tamper: (log) => {
        log.checkpoint = log.checkpoint!.slice(0, length);
        return log.last;
      },
    }),
  ),
  {
    technique: 'the checkpoint says another number',
    kind: 'checkpoint-missing',
    tamper: (log) => {
      log.checkpoint = log.checkpoint!.replace(/\n(\d+)\n/, (_, size) => `\n${Number(size) - 1}\n`);
      return log.last;
    },
  },
  {
    technique: 'the checkpoint is signed with another key',
    kind: 'checkpoint-missing',
    tamper: (log, { stranger }) => {
      log.checkpoint = log.sealed(stranger);
      return log.last;
    },
  },
  {
    technique: 'the checkpoint is that of another log of the key',
    kind: 'checkpoint-differs',
    tamper: (log, { log: made }) => {
      log.checkpoint = log.sealed(made.key, { origin: originOf('0'.repeat(32)) });
      return log.last;
    },
  },
  {
    technique: 'the checkpoint tells of another root, and the key signed it',
    kind: 'checkpoint-differs',
    tamper: (log, { log: made }) => {
      log.checkpoint = log.sealed(made.key, { root: base64(new Uint8Array(32)) });
      return log.last;
    },
  },
  {
    technique: 'an older checkpoint of the same log is put back',
    kind: 'sound',
    tamper: (log, { log: made }) => {
      log.checkpoint = made.notes.at(-3)!;
      return 0;
    },
  },
  {
    technique: 'an older checkpoint is put back, and an entry behind it that nothing else covers is edited',
    kind: 'forked',
    tamper: (log, { log: made }) => {
      log.checkpoint = made.notes.at(-3)!;
      log.rewrite(log.last, (fields) => ({ ...fields, target: '/other' }));
      return log.last;
    },
  },
  {
    technique: 'somebody else has signed the checkpoint too',
    kind: 'sound',
    tamper: (log, { stranger }) => {
      const [, signature] = log.sealed(stranger, { origin: 'witness.example/w' }).split('\n\n');
      log.checkpoint += signature!;
      return 0;
    },
  },
  {
    technique: 'a signature that claims to be of the key, and is not, stands in the checkpoint',
    kind: 'checkpoint-missing',
    tamper: (log, { log: made }) => {
      const [, signature] = log.sealed(made.key, { size: 1 }).split('\n\n');
      log.checkpoint += signature!;
      return log.last;
    },
  },
  {
    technique: 'an anchor holds what is no note, and notes of others',
    kind: 'sound',
    tamper: (log, { stranger }) => {
      log.anchor.push('nothing', log.sealed(stranger, { origin: originOf('1'.repeat(32)), size: 10_000 }));
      return 0;
    },
  },
  {
    technique: 'an anchor holds a checkpoint of the log by another key',
    kind: 'anchor-bad',
    tamper: (log, { stranger }) => {
      log.anchor.push(log.sealed(stranger));
      return log.last;
    },
  },
];
