import { CACHE_USES, type CacheTool, type CacheUse } from './cache-tools.ts';
import type { LimitName } from './document.ts';
import type { LayeredFile } from './layers.ts';
import { piercedBy } from './piercing.ts';
import { describeProblem } from './policy-error.ts';
import { tightensOnly } from './source.ts';

/** What one file says of the agent's environment. */
export type EnvRule = {
  /** What messages call the file. */
  file: string;
  drop: string[];
  pass: string[];
  /** Places in the list of the files whose `drop` its `pass` takes out of play. */
  pierces: number[];
};

/** How a run starts, for all files together. In the image's notes for readers, so that its digest covers it. */
export type LaunchTerms = {
  env: EnvRule[];
  /** In processes, bytes, seconds, descriptors. */
  limits: Partial<Record<LimitName, number>>;
  /** Those that are not the user's own. */
  caches: Partial<Record<CacheTool, Exclude<CacheUse, 'shared'>>>;
};

/** The strictest of every limit and every cache; of the environment everything that anybody drops and nobody who may passes. */
export function launchTerms(files: readonly LayeredFile[], warnings: string[]): LaunchTerms {
  const env: EnvRule[] = [];
  const terms: LaunchTerms = { env, limits: {}, caches: {} };
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

/** Which of these variables the agent does not get, and which file says so. `drop` looks past upper and lower case, `pass` does not. */
export function withheldVariables(rules: readonly EnvRule[], names: readonly string[]): { name: string; by: string }[] {
  return names.flatMap((name) => {
    const upper = name.toUpperCase();
    const passing = rules.flatMap(({ pass, pierces }) => (pass.some((one) => nameMatches(one, name)) ? pierces : []));
    const by = rules.find(
      ({ drop }, index) => !passing.includes(index) && drop.some((one) => nameMatches(one.toUpperCase(), upper)),
    );
    return by ? [{ name, by: by.file }] : [];
  });
}

/** `*` stands for any characters. Each piece is looked for once, from left to right: no pattern is slow. */
function nameMatches(pattern: string, name: string): boolean {
  const [first = '', ...pieces] = pattern.split('*');
  const last = pieces.pop();
  if (last === undefined) return name === first;
  if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false;
  let from = first.length;
  for (const piece of pieces) {
    const at = name.indexOf(piece, from);
    if (at < 0) return false;
    from = at + piece.length;
  }
  return from <= name.length - last.length;
}
