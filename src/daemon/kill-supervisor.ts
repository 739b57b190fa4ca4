import { isAlive, processArguments } from '../adapters/process/process-identity.ts';
import type { Run } from './run.ts';

/** Only a process that is still the one of HELLO, and still runs for this run, is killed: its number may be somebody else's by now. */
export function killSupervisor({ record }: Run): void {
  const { supervisor, id } = record;
  if (supervisor === null || !isAlive(supervisor) || !processArguments(supervisor.pid).includes(id)) return;
  try {
    process.kill(supervisor.pid, 'SIGKILL');
  } catch {
    // gone meanwhile
  }
}
