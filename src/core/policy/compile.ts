import { ACTION, type ActionName } from '../wire/messages.ts';
import { type CompiledPattern, TooComplex } from './automata.ts';
import type { Dfa } from './dfa.ts';
import type { EncodedAutomaton } from './encode-automaton.ts';
import { executionFloor } from './execution-floor.ts';
import { floorOf, readableOf } from './floor.ts';
import { refuseHomeAsWorkspace } from './home-exception.ts';
import { AUTOMATON_KIND, MOST } from './image-layout.ts';
import { type ImageContent, writeImage } from './image-writer.ts';
import { KnownAutomata } from './known-automata.ts';
import { type LaunchTerms, launchTerms } from './launch-terms.ts';
import { LAUNCHERS } from './launchers.ts';
import { type LayeredFile, readLayers } from './layers.ts';
import { PolicyError } from './policy-error.ts';
import { RULE_FLAG, type RuleTable } from './rule-table.ts';
import { tabulateRules } from './rules.ts';
import { LAYER, type PolicyRoots, type PolicySource, type ResolveExtends } from './source.ts';
import { type Hints, staticRegion } from './static-region.ts';

export type CompiledPolicy = {
  /** The policy image, docs/policy-image.md. The same input gives the same bytes. */
  image: Uint8Array;
  /** One line each: what was left out, or likely not meant. */
  warnings: string[];
  /** How a run under this policy starts. */
  launch: LaunchTerms;
  /** What an agent's own library may open without the supervisor being asked. */
  hints: Hints;
};

/**
 * Compiles policy files into one image. `sources` must hold the built-in files (layers protection and guards) as well; the order inside a
 * layer is that of `sources`.
 *
 * @param resolve finds what `extends` names; without it nothing can be extended
 * @throws PolicyError with file, line and column of everything that is wrong
 */
export function compilePolicy(
  sources: readonly PolicySource[],
  roots: PolicyRoots,
  resolve: ResolveExtends = () => null,
): CompiledPolicy {
  return compileLayers(readLayers(sources, resolve), roots);
}

/**
 * The same for files that `readLayers` has read: for callers that have to know which files take part before they can name all places.
 *
 * @param known automata of earlier compilations; the image is the same without
 */
export function compileLayers(
  files: readonly LayeredFile[],
  roots: PolicyRoots,
  known = new KnownAutomata(),
): CompiledPolicy {
  for (const needed of ['protection', 'guards'] as const) {
    if (!files.some(({ source }) => source.layer === needed))
      throw new TypeError(`the built-in ${needed} file is missing`);
  }
  const warnings: string[] = [];
  const table = tabulateRules(files, roots, warnings);
  const launch = launchTerms(files, warnings);
  refuseTooMany(table);
  refuseHomeAsWorkspace(table, roots);
  const accepts = new Accepts();
  const classOf = ruleClasses(table);
  const { automata, dfas } = compileAutomata(files, table, classOf, accepts, known);
  const of = (action: number, kind: number): Dfa[] =>
    dfas.filter((one) => one.action === action && one.kind === kind).map(({ dfa }) => dfa);
  const commands = of(ACTION.shell_exec, AUTOMATON_KIND.commandPath);
  const directories = [roots.home, roots.workspace, roots.tmp].flatMap(({ lexical, real }) => [lexical, real]);
  const executable = executionFloor(table, ACTION.shell_exec, commands, readableOf(table), directories);
  const region = staticRegion(table, of(ACTION.file_read, AUTOMATON_KIND.path), classOf, executable, roots);
  const content: ImageContent = {
    table,
    automata,
    accepts: accepts.words,
    floor: floorOf(table, executable),
    region: region.paths,
    hintsFiles: region.hints.files,
    roots: directories,
    launchers: LAUNCHERS,
    meta: JSON.stringify({
      policy: policyName(files),
      files: files.map(({ source, document }) => ({
        name: source.name,
        layer: source.layer,
        policy: document.name,
        digest: source.digest ?? null,
      })),
      launch,
      hints: region.hints,
    }),
  };
  return { image: writeImage(content), warnings, launch, hints: region.hints };
}

/** What the user knows the whole by: the name of the user's policy, else of the system's. */
export function policyName(files: readonly LayeredFile[]): string {
  const spoken = ['user', 'system', 'project', 'command-line'] as const;
  for (const layer of spoken) {
    const file = files.find(({ source }) => source.layer === layer);
    if (file) return file.document.name;
  }
  return '';
}

/** Patterns of files that come with gatekeeper get automata of their own: they are large, and stay the same when the user changes a rule. */
function compileAutomata(
  files: readonly LayeredFile[],
  table: RuleTable,
  classOf: Int32Array,
  accepts: Accepts,
  known: KnownAutomata,
): { automata: ImageContent['automata']; dfas: { action: number; kind: number; dfa: Dfa }[] } {
  const automata: { action: number; kind: number; encoded: EncodedAutomaton }[] = [];
  const dfas: { action: number; kind: number; dfa: Dfa }[] = [];
  for (const action of Object.values(ACTION)) {
    let left: number = MOST.automata;
    for (const kind of Object.values(AUTOMATON_KIND)) {
      for (const shipped of [true, false]) {
        const patterns: CompiledPattern[] = [];
        table.rules.forEach((rule, index) => {
          if (rule.action !== action || (files[rule.file]!.source.shipped ?? false) !== shipped) return;
          for (const row of rule.rows) if (row.kind === kind) patterns.push({ tokens: row.tokens, rule: index });
        });
        if (patterns.length === 0) continue;
        const built = orRefuse(table, () => known.build(patterns, classOf, left));
        left -= built.length;
        for (const dfa of built) {
          dfas.push({ action, kind, dfa });
          automata.push({ action, kind, encoded: known.encode(dfa, accepts.add(dfa.acceptSets)) });
        }
      }
    }
  }
  return { automata, dfas };
}

/** Rules that differ in nothing but their place in one file are of one class. Those about request paths differ in their destinations as well. */
function ruleClasses(table: RuleTable): Int32Array {
  const numbers = new Map<string, number>();
  return Int32Array.from(table.rules, ({ action, effect, flags, file, until }, index) => {
    const own = flags & RULE_FLAG.requestPaths ? index : '';
    const key = `${action} ${effect} ${flags} ${file} ${until} ${own}`;
    const number = numbers.get(key) ?? numbers.size;
    numbers.set(key, number);
    return number;
  });
}

/** The ACCEPTS section; equal sets are stored once. */
class Accepts {
  readonly words: number[] = [0];
  readonly #known = new Map<string, number>([['', 0]]);

  add(sets: readonly (readonly number[])[]): number[] {
    return sets.map((set) => {
      const key = set.join();
      const known = this.#known.get(key);
      if (known !== undefined) return known;
      const at = this.words.length;
      this.words.push(set.length, ...set);
      this.#known.set(key, at);
      return at;
    });
  }
}

function orRefuse<T>(table: RuleTable, build: () => T): T {
  try {
    return build();
  } catch (error) {
    if (!(error instanceof TooComplex)) throw error;
    const rule = table.rules[error.rule]!;
    const action = (Object.keys(ACTION) as ActionName[])[rule.action];
    const text = `the patterns of ${action} have too many wildcards together, ${JSON.stringify(rule.pattern)} among them`;
    const place = { file: table.files[rule.file]!.name, line: rule.line, column: 1 };
    throw new PolicyError([{ ...place, text, remedy: 'use fewer * and ** within one pattern' }]);
  }
}

function refuseTooMany(table: RuleTable): void {
  const last = table.rules.at(-1);
  const file = (last && table.files[last.file]?.name) ?? 'policy';
  const refuse = (text: string): never => {
    throw new PolicyError([{ file, line: last?.line ?? 0, column: 1, text, remedy: 'merge some' }]);
  };
  if (table.files.length > MOST.files) refuse(`more than ${MOST.files} policy files take part`);
  if (table.rules.length > MOST.rules) refuse(`more than ${MOST.rules} rules, counting each pattern for each action`);
  const injections = table.rules.reduce((sum, { terms }) => sum + terms.injections.length, 0);
  if (injections > MOST.injections)
    refuse(`more than ${MOST.injections} headers are injected, counting each destination`);
  if (!table.files.every(({ layer }) => layer >= LAYER.protection)) refuse('a file has no layer');
}
