/**
 * Puts what is started often into single files of CommonJS, since Node starts those with less work: what `gatekeeper run` needs into
 * dist/cli/gatekeeper.cjs, which loads the other verbs from the build, and the hook for Node into dist/node-hook/*.cjs, which need nothing else. They
 * are made from the build and stay readable. Fails when anything of it is missing.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build } from 'esbuild';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

export type Bundled = {
  /** Relative to the project. */
  file: string;
  found: string | undefined;
  made: string;
};

/** Returns what was there and what belongs there; with `write` it is there afterwards. */
export function bundle(how: { write: boolean }): Promise<Bundled[]> {
  return Promise.all(Object.entries(BUNDLES).map(([file, options]) => bundleOne(file, options, how)));
}

async function bundleOne(file: string, options: BuildOptions, { write }: { write: boolean }): Promise<Bundled> {
  const outfile = `${ROOT}${file}`;
  const found = readIfThere(outfile);
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    outfile,
    bundle: true,
    write,
    platform: 'node',
    format: 'cjs',
    target: 'node20.19',
    logLevel: 'silent',
    ...options,
  });
  return { file, found, made: outputFiles?.[0]?.text ?? readFileSync(outfile, 'utf8') };
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/**
 * What is loaded later, and only if it is needed, stays outside. Whatever version of Node a program of a run has, the first file must not be what
 * keeps it from starting.
 */
const OF_THE_HOOK: BuildOptions = {
  target: 'node12',
  external: ['./explain.cjs', './proxying.cjs'],
  banner: { js: `'use strict';` },
};

const BUNDLES: Readonly<Record<string, BuildOptions>> = {
  'dist/cli/gatekeeper.cjs': {
    entryPoints: ['dist/cli/main.js'],
    external: ['./dist/cli/other-verbs.js'],
    define: { 'import.meta.url': 'moduleUrl' },
    banner: { js: `'use strict';\nconst moduleUrl = require('node:url').pathToFileURL(__filename).href;` },
  },
  'dist/node-hook/gatekeeper-hook.cjs': { ...OF_THE_HOOK, entryPoints: ['dist/node-hook/hook.js'] },
  'dist/node-hook/explain.cjs': { ...OF_THE_HOOK, entryPoints: ['dist/node-hook/explain.js'] },
  'dist/node-hook/proxying.cjs': { ...OF_THE_HOOK, entryPoints: ['dist/node-hook/proxying.js'] },
};

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle({ write: true });
