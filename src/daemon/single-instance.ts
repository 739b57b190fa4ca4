import { connect } from 'node:net';
import { takeLock } from '../adapters/process/lock-file.ts';
import type { HomeLayout } from '../core/contract/home-layout.ts';
import { GatekeeperError } from '../core/errors/gatekeeper-error.ts';

/**
 * Makes this process the only daemon of its home. The log has a lock of its own, because two homes with different runtime directories could
 * share a state directory. A daemon that answers is one, whatever a lock says (it may live in another container's process table).
 */
export async function becomeOnlyDaemon(layout: HomeLayout): Promise<{ release: () => void; holdsLog: () => boolean }> {
  const locks = [layout.daemonLock, `${layout.audit}/lock`].map((path) => {
    const lock = takeLock(path);
    if ('release' in lock) return lock;
    const where = lock.heldBy === undefined ? path : `${path}, pid ${lock.heldBy.pid}`;
    throw new GatekeeperError('GK_DAEMON_BUSY', { where });
  });
  const release = () => {
    for (const lock of locks) lock.release();
  };
  if (await answers(layout.controlSocket)) {
    release();
    throw new GatekeeperError('GK_DAEMON_BUSY', { where: layout.controlSocket });
  }
  return { release, holdsLog: () => locks.at(-1)!.isHeld() };
}

function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
