import { ACTION } from '../wire/messages.ts';
import type { Dfa } from './dfa.ts';
import { compareBytes, covers, isCanonical, isMadeByKernel, unique } from './hierarchy.ts';
import { MOST } from './image-layout.ts';
import { type Proof, RegionProver } from './region-proof.ts';
import type { RuleTable } from './rule-table.ts';
import { LAYER, type PolicyRoots } from './source.ts';

/** What an agent's own library may tell the kernel of, without the supervisor being asked. */
export type Hints = {
  files: boolean;
  directories: boolean;
  /** What keeps files out, or why not; one sentence. */
  why: string;
};

export type StaticRegion = { paths: Uint8Array[]; hints: Hints };

/**
 * The hierarchies at and beneath which every path may be read without a receipt: proven on the automata, so that nobody has to be asked there.
 * Looked for where an allowing rule takes a whole hierarchy, and where programs may be executed: when all of that is free, files may be hinted as well,
 * since the kernel's right to execute a file is one to read it.
 */
export function staticRegion(
  table: RuleTable,
  dfas: readonly Dfa[],
  classOf: Int32Array,
  executable: readonly Uint8Array[],
  roots: PolicyRoots,
): StaticRegion {
  const prover = new RegionProver(table, ACTION.file_read, dfas, classOf);
  const isReal = throughNoLink(roots);
  const paths: Uint8Array[] = [];
  for (const path of candidates(table, executable, roots)) {
    if (paths.length === MOST.region || !isReal(path) || paths.some((one) => covers(one, path))) continue;
    if (prover.prove(path) === 'free') paths.push(path);
  }
  const shut = executable.filter((path) => isReal(path) && !paths.some((one) => covers(one, path)));
  const worst = shut.find((path) => covers(path, roots.workspace.real)) ?? shut[0];
  const files = paths.length > 0 && worst === undefined;
  const why = worst === undefined ? ALL_FREE : `programs may be executed ${placeOf(table, worst, prover)}`;
  return { paths: paths.sort(compareBytes), hints: { files, directories: paths.length > 0, why } };
}

/** Shortest first: what is found covers what is beneath it. */
function candidates(table: RuleTable, executable: readonly Uint8Array[], roots: PolicyRoots): Uint8Array[] {
  const found: Uint8Array[] = [];
  const add = (path: Uint8Array): void => {
    if (isCanonical(path) && !isMadeByKernel(path)) found.push(path);
  };
  for (const { action, effect, file, rows } of table.rules) {
    // What is granted ends; a run's region stays.
    const granted = table.files[file]!.layer === LAYER.grants;
    if (action !== ACTION.file_read || effect !== 'allow' || granted) continue;
    for (const [first, second] of rows.map(({ tokens }) => tokens))
      if (first?.kind === 'bytes' && second?.kind === 'tail') add(first.bytes);
  }
  for (const path of executable) add(path);
  for (const { real } of [roots.home, roots.workspace, roots.tmp]) add(real);
  for (const path of SYSTEM_TREES) add(path);
  return unique(found).sort((a, b) => a.length - b.length || compareBytes(a, b));
}

/** Whoever opens a hierarchy of the region follows no link, and judged is what lies behind it. */
function throughNoLink({ home, workspace, tmp }: PolicyRoots): (path: Uint8Array) => boolean {
  const links = [home, workspace, tmp].filter(({ lexical, real }) => compareBytes(lexical, real) !== 0);
  return (path) => !links.some(({ lexical, real }) => covers(lexical, path) && !covers(real, path));
}

function placeOf(table: RuleTable, path: Uint8Array, prover: RegionProver): string {
  return path.length === 1 ? 'anywhere' : `in ${textOf(path)}, ${reasonOf(table, prover.prove(path))}`;
}

function reasonOf(table: RuleTable, proof: Proof): string {
  // It is left out for what it is, or there are too many.
  if (proof === 'free') return 'where the kernel makes the files, or which is one tree too many';
  if (proof === 'unsure') return 'where the rules are too many to be sure of all files';
  const { rule } = proof;
  if (!rule) return 'where not everything may be read';
  const what = rule.effect === 'allow' ? 'is recorded' : VERB[rule.effect];
  return `where ${rule.pattern} ${what} (${rule.label || table.files[rule.file]!.name})`;
}

const VERB = { ask: 'is asked about', shadow: 'is shadowed', deny: 'is denied' } as const;
const ALL_FREE = 'everything in which programs may be executed may be read, all of it and without a receipt';
const textOf = (path: Uint8Array): string => new TextDecoder().decode(path);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
/** Where rules that allow everything are worth a look. */
const SYSTEM_TREES = [
  '/usr',
  '/opt',
  '/nix',
  '/gnu',
  '/snap',
  '/bin',
  '/sbin',
  '/lib',
  '/lib64',
  '/home',
  '/etc',
  '/var',
  '/srv',
  '/tmp',
].map(bytes);
