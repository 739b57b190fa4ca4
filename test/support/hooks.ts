import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Sandbox } from './sandbox.ts';

/** What the hooks of a run are like: as they are, left out, or replaced by ones that lie and know nothing. */
export type Hooks = 'on' | 'off' | 'corrupted';

/** What the suite was asked to run with, by GATEKEEPER_TEST_HOOKS. */
export function wantedHooks(): Hooks {
  const wanted = process.env['GATEKEEPER_TEST_HOOKS'] ?? 'on';
  if (!isHooks(wanted)) throw new Error(`GATEKEEPER_TEST_HOOKS is on, off or corrupted, not ${wanted}`);
  return wanted;
}

/** Options of `gatekeeper run` and words before the command. */
export function withHooks(sandbox: Sandbox, hooks: Hooks): { options: string[]; through: string[] } {
  if (hooks === 'off') return { options: ['--no-hooks'], through: [] };
  if (hooks === 'on') return { options: [], through: [] };
  return {
    options: [],
    through: [
      '/usr/bin/env',
      `LD_PRELOAD=${lyingHook(sandbox)}`,
      // Hints that nobody gave, and a picture of the policy that is not there.
      'GATEKEEPER_HOOK=fd:/nonexistent/image',
    ],
  };
}

function lyingHook(sandbox: Sandbox): string {
  const target = join(sandbox.root, 'lying-hook.so');
  if (!existsSync(target))
    execFileSync('gcc', ['-std=gnu17', '-D_GNU_SOURCE', '-O1', '-fPIC', '-shared', '-o', target, SOURCE]);
  return target;
}

const isHooks = (text: string): text is Hooks => ['on', 'off', 'corrupted'].includes(text);
const SOURCE = fileURLToPath(new URL('lying-hook.c', import.meta.url));
