/**
 * Puts what `gatekeeper run` needs into the one file that is started, dist/cli/gatekeeper.cjs: CommonJS, since Node starts that with less work. It is made
 * from the build, stays readable, and loads the other verbs from there. Fails when anything of it is missing.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
export const BUNDLE = `${ROOT}dist/cli/gatekeeper.cjs`;

/** Returns what was there and what belongs there; with `write` it is there afterwards. */
export async function bundle({ write }: { write: boolean }): Promise<{ found: string | undefined; made: string }> {
  const found = readIfThere(BUNDLE);
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: ['dist/cli/main.js'],
    outfile: BUNDLE,
    bundle: true,
    write,
    platform: 'node',
    format: 'cjs',
    target: 'node20.19',
    external: ['./dist/cli/other-verbs.js'],
    define: { 'import.meta.url': 'moduleUrl' },
    banner: { js: `'use strict';\nconst moduleUrl = require('node:url').pathToFileURL(__filename).href;` },
    logLevel: 'silent',
  });
  return { found, made: outputFiles?.[0]?.text ?? readFileSync(BUNDLE, 'utf8') };
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle({ write: true });
