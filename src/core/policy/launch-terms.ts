import { CACHE_USES, type CacheTool, type CacheUse } from './cache-tools.ts';
import type { LimitName, OnTighten } from './document.ts';
import type { EnvRule } from './environment.ts';
import type { LayeredFile } from './layers.ts';
import { piercedBy } from './piercing.ts';
import { describeProblem } from './policy-error.ts';
import { tightensOnly } from './source.ts';

/** How a run starts, for all files together. In the image's notes for readers, so that its digest covers it. */
export type LaunchTerms = {
  env: EnvRule[];
  /** In processes, bytes, seconds, descriptors. */
  limits: Partial<Record<LimitName, number>>;
  /** Those that are not the user's own. */
  caches: Partial<Record<CacheTool, Exclude<CacheUse, 'shared'>>>;
  /** What becomes of a run when a change refuses what it may read by itself. */
  onTighten: OnTighten;
};

/** The strictest of every limit and every cache; of the environment everything that anybody drops and nobody who may passes. */
export function launchTerms(files: readonly LayeredFile[], warnings: string[]): LaunchTerms {
  const env: EnvRule[] = [];
  const terms: LaunchTerms = { env, limits: {}, caches: {}, onTighten: strictestEnd(files) };
  const speaking = files.filter(({ document: { launch } }) => launch.env.drop.length + launch.env.pass.length > 0);
  for (const file of speaking) {
    const pierced = piercedBy(file, files.indexOf(file), files);
    const { drop, pass } = file.document.launch.env;
    const heard = tightensOnly(file.source) ? [] : pass;
    if (heard.length < pass.length) warnings.push(projectPass(file, pass[0]!.line));
    env.push({
      file: file.source.name,
      drop: drop.map(({ text }) => text),
      pass: heard.map(({ text }) => text),
      pierces: speaking.flatMap((other, index) => (pierced.has(files.indexOf(other)) ? [index] : [])),
    });
  }
  for (const { document } of files) tighten(terms, document.launch);
  return terms;
}

/** A run ends unless somebody who may loosen wants the warning, and nobody wants the end. */
function strictestEnd(files: readonly LayeredFile[]): OnTighten {
  const said = files.flatMap(({ source, document }) => {
    const value = document.launch.onTighten?.value;
    return value === undefined || (value === 'warn' && tightensOnly(source)) ? [] : [value];
  });
  return said.length > 0 && said.every((value) => value === 'warn') ? 'warn' : 'end';
}

function tighten({ limits, caches }: LaunchTerms, launch: LayeredFile['document']['launch']): void {
  for (const [name, { value }] of Object.entries(launch.limits)) {
    const limit = name as LimitName;
    limits[limit] = Math.min(value, limits[limit] ?? value);
  }
  for (const [tool, { use }] of launch.caches) {
    if (use !== 'shared' && CACHE_USES[use] > CACHE_USES[caches[tool] ?? 'shared']) caches[tool] = use;
  }
}

function projectPass({ source }: LayeredFile, line: number): string {
  const text = 'pass of a project file has no effect, because it can only tighten';
  return describeProblem({ file: source.path ?? source.name, line, column: 1, text });
}
