import { fileURLToPath } from 'node:url';
import { readGrants } from '../adapters/grant-store/grant-store.ts';
import { HookStore, hookSources } from '../adapters/hook-store/hook-store.ts';
import { namesInForce } from '../adapters/policy-files/grants-in-force.ts';
import { watchPolicyFiles } from '../adapters/policy-files/watch.ts';
import { bootSeconds } from '../adapters/process/boot-clock.ts';
import { startEgress } from '../adapters/proxy/egress.ts';
import type { HomeLayout } from '../core/contract/home-layout.ts';
import { inspectsAnything, secretsWithRules } from '../core/engine/egress-terms.ts';
import { endGrants } from '../core/engine/end-grants.ts';
import { PolicyImage } from '../core/engine/image.ts';
import { exactNames, mayReachAt } from '../core/engine/may-reach.ts';
import { RULE_FLAG } from '../core/policy/rule-table.ts';
import { VERSION } from '../core/version.ts';
import { Daemon } from './daemon.ts';
import { PolicyCompiler } from './policy-compiler.ts';
import { prepareHome } from './prepare-home.ts';
import { becomeOnlyDaemon } from './single-instance.ts';

/** Starts the daemon on this home and leaves it running until a signal or a client ends it. */
export async function runDaemon(
  layout: HomeLayout,
  user: { passwdHome: string; uid: number },
  say: (line: string) => void,
): Promise<void> {
  prepareHome(layout);
  const instance = await becomeOnlyDaemon(layout);
  const compiler = new PolicyCompiler(layout, user);
  let stopping = false;
  const stop = async (why: string) => {
    if (stopping) return;
    stopping = true;
    say(`stopping: ${why}`);
    setTimeout(() => process.exit(1), STOP_MS).unref();
    await daemon.stop();
    await compiler.close();
    instance.release();
    process.exit(0);
  };
  const hooks = new HookStore(layout.hooks, hookSources(PACKAGE));
  hooks.provide(); // before a run waits for it
  const daemon = await Daemon.start<PolicyImage>({
    layout,
    holdsLog: instance.holdsLog,
    version: VERSION,
    supervisorProgram: fileURLToPath(new URL('native-hooks/build/gk-supervise', PACKAGE)),
    hooks,
    compile: compiler.compile,
    openImage: (bytes, digest) => PolicyImage.open(bytes, digest, bootSeconds),
    grants: () => readGrants(layout.grants),
    endGrants: (image, run) => endGrants(image, namesInForce(layout.grants, run)),
    hidesNames: ({ rules }) => rules.some(({ flags }) => (flags & RULE_FLAG.hide) !== 0),
    exactNames,
    mayReachAt,
    inspects: inspectsAnything,
    secretsOf: secretsWithRules,
    ruleOf: (image, index) => image.rules[index],
    startEgress,
    watchFiles: (changed) => {
      const watch = watchPolicyFiles([], changed);
      return { watch: (files, urgent) => watch.follow(files, urgent), close: () => watch.close() };
    },
    say,
    // Behind the answer to the client who asked.
    shutdown: () => setTimeout(() => void stop('a client asked for it'), 20),
  });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => void stop(signal));
}

const PACKAGE = new URL('../../', import.meta.url);
const STOP_MS = 8000;
