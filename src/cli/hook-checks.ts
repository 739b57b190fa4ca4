import { type Check, check } from '../adapters/doctor/check.ts';
import { HookStore, hookSources } from '../adapters/hook-store/hook-store.ts';
import { installation, ownHome } from './home.ts';

/** Whether runs can load hooks: those of the installation, and the copies that runs load. */
export function hookChecks(): Check[] {
  const store = new HookStore(ownHome().hooks, hookSources(installation()));
  const unsafe = store.unsafeSources();
  const harmed = store.harmed();
  return [
    check(
      'files',
      'hooks',
      unsafe.length === 0,
      unsafe.length === 0 ? 'as they were built' : `missing, or others may change them: ${unsafe.join(', ')}`,
      'build them: npm run build',
    ),
    check(
      'files',
      'hooks of runs',
      harmed.length === 0,
      harmed.length === 0 ? 'unharmed, or not there yet' : `damaged: ${harmed.join(', ')}`,
      'start a run, which puts them back; then find out who wrote to them',
    ),
  ];
}
