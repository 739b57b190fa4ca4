import { appendFileSync, readFileSync, rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { AuditLog } from '../../../../src/adapters/audit-log/audit-log.ts';
import { segmentPath } from '../../../../src/adapters/audit-log/segments.ts';
import { type LockFile, takeLock } from '../../../../src/adapters/process/lock-file.ts';
import { denied } from '../../../support/audit-chain.ts';
import { auditLogFixture } from '../../../support/audit-log-fixture.ts';

function locked(directory: string): LockFile {
  const lock = takeLock(`${directory}/lock`);
  if (!('release' in lock)) throw new Error('it is held');
  return lock;
}

async function writerWithLock() {
  const fixture = auditLogFixture();
  const lock = locked(fixture.directory);
  const log: AuditLog = await fixture.open({ holdsLog: lock.isHeld, retryMs: 60_000 });
  await log.append([denied('/a')]);
  await log.writeCheckpoint();
  return { ...fixture, log, lock, file: segmentPath(fixture.directory, 1) };
}

describe('the log has one writer', () => {
  test('who stops when another one has taken the lock, and writes neither entries nor checkpoints', async () => {
    const { directory, log, file, verify } = await writerWithLock();
    rmSync(`${directory}/lock`);
    const other = locked(directory);
    const second = await auditLogFixture(directory).open({ holdsLog: other.isHeld });
    await second.append([denied('/second')]);
    await second.close();
    const before = [file, `${directory}/checkpoint`].map((path) => readFileSync(path, 'utf8'));
    await expect(log.append([denied('/first')])).rejects.toThrow('another process holds its lock');
    await log.writeCheckpoint();
    await log.close();
    expect([file, `${directory}/checkpoint`].map((path) => readFileSync(path, 'utf8'))).toEqual(before);
    expect(await verify()).toMatchObject({ ok: true });
  });

  test('who goes on when the lock was only removed', async () => {
    const { directory, log, verify } = await writerWithLock();
    rmSync(`${directory}/lock`);
    await log.append([denied('/b')]);
    expect(takeLock(`${directory}/lock`)).not.toHaveProperty('release');
    await log.close();
    expect(await verify()).toMatchObject({ ok: true });
  });

  test('who notices bytes that are not its own, and writes nothing behind them', async () => {
    const { log, file } = await writerWithLock();
    appendFileSync(file, '{"somebody":"else"}\n');
    const before = readFileSync(file);
    await expect(log.append([denied('/b')])).rejects.toThrow('was changed by someone else');
    await log.close();
    expect(readFileSync(file)).toEqual(before);
  });
});
