import { ACTION, type ActionName, EFFECT, type EffectName } from '../wire/messages.ts';
import { parseCommandPattern } from './command-pattern.ts';
import { NO_TERMS } from './connection-terms.ts';
import { HOST_KIND, parseDestination } from './destination.ts';
import type { BlockDocument, Placed, RuleDocument } from './document.ts';
import { allowedTerms, refuseWideInjection } from './effective-terms.ts';
import { AUTOMATON_KIND } from './image-layout.ts';
import type { LayeredFile } from './layers.ts';
import { parsePathPattern } from './path-pattern.ts';
import { PatternProblem } from './pattern-problem.ts';
import { piercedBy } from './piercing.ts';
import { describeProblem, PolicyError, type PolicyProblem } from './policy-error.ts';
import { problemOf } from './problem-of.ts';
import { requestPathRows } from './request-path-rows.ts';
import { type ActionDefault, type FileEntry, RULE_FLAG, type RuleEntry, type RuleTable } from './rule-table.ts';
import { placesOf, type Scope } from './scope.ts';
import { LAYER, type PolicyLayer, type PolicyRoots, tightensOnly } from './source.ts';

/**
 * Turns documents into the table of rules that the image holds: a row for each action and pattern, ordered by layer and file, then
 * exceptions before other rules, so that a verdict names the exception that made it, then by line.
 * @throws PolicyError with every bad pattern of all files
 */
export function tabulateRules(files: readonly LayeredFile[], roots: PolicyRoots, warnings: string[]): RuleTable {
  const table = new TableBuilder(files, placesOf(roots), warnings);
  files.forEach((file, index) => {
    table.addFile(file, index);
  });
  return table.finish();
}

type Statement = { action: number; effect: EffectName; rule: RuleEntry };

class TableBuilder {
  readonly #layered: readonly LayeredFile[];
  readonly #places: Scope['places'];
  readonly #warnings: string[];
  readonly #problems: PolicyProblem[] = [];
  readonly #files: FileEntry[];
  readonly #rules: RuleEntry[] = [];
  readonly #statements: Statement[] = [];
  readonly #logged = new Set<number>(LOGGED_BY_DEFAULT.map((name) => ACTION[name]));
  readonly #mentioned = new Set<ActionName>();

  constructor(layered: readonly LayeredFile[], places: Scope['places'], warnings: string[]) {
    this.#layered = layered;
    this.#places = places;
    this.#warnings = warnings;
    this.#files = layered.map((file, index) => ({
      name: file.source.name,
      layer: LAYER[file.source.layer],
      pierces: piercedBy(file, index, layered),
      digest: file.source.digest ?? '',
    }));
  }

  addFile(file: LayeredFile, index: number): void {
    const texts = new Map([...file.document.variables].map(([name, { text }]) => [name, text]));
    for (const block of file.document.blocks) {
      for (const action of block.actions) {
        if (SPEAKS_FOR_ACTION.has(file.source.layer)) this.#mentioned.add(action);
        this.#addBlock(file, index, block, action, { places: this.#places, texts });
      }
    }
  }

  finish(): RuleTable {
    if (this.#problems.length > 0) throw new PolicyError(this.#problems);
    if (!this.#mentioned.has('file_delete')) this.#deleteLikeWrite();
    const override = (rule: RuleEntry): number => rule.flags & RULE_FLAG.override;
    this.#rules.sort((a, b) => a.file - b.file || override(b) - override(a) || a.line - b.line || a.action - b.action);
    const defaults = Object.values(ACTION).map((action) => this.#defaultOf(action));
    return { files: this.#files, rules: this.#rules, defaults };
  }

  #addBlock(file: LayeredFile, index: number, block: BlockDocument, action: ActionName, scope: Scope): void {
    const project = tightensOnly(file.source);
    if (block.log && !project) this.#logged.add(ACTION[action]);
    if (block.defaultEffect) this.#state(file, index, block.defaultEffect, action);
    for (const rule of block.rules) {
      if (project && (rule.override || rule.effect === 'allow' || rule.effect === 'shadow')) {
        const what = rule.override ? 'override' : rule.effect;
        this.#warn(file, rule.line, `${what} rules of a project file have no effect, because it can only tighten`);
        continue;
      }
      for (const meant of rule.hide ? HIDDEN_FROM : [action])
        for (const subject of rule.subjects) this.#addRule(file, index, block, meant, rule, subject, scope);
    }
  }

  #addRule(
    file: LayeredFile,
    index: number,
    block: BlockDocument,
    action: ActionName,
    rule: RuleDocument,
    subject: Placed,
    scope: Scope,
  ): void {
    const logged = rule.log ?? block.log ?? LOGGED_BY_DEFAULT.includes(action);
    const entry: RuleEntry = {
      ...this.#blank(file, index, action, rule.effect, rule.line),
      reason: rule.reason,
      pattern: subject.text,
      timeoutMs: rule.timeoutMs,
      flags:
        (rule.override ? RULE_FLAG.override : 0) |
        (logged ? RULE_FLAG.log : 0) |
        (rule.checkChildren ? RULE_FLAG.checkChildren : 0) |
        (rule.hide && action === 'file_read' ? RULE_FLAG.hide : 0) |
        (file.source.layer === 'protection' ? RULE_FLAG.protection : 0) |
        (rule.methods ? RULE_FLAG.methods : 0) |
        (rule.requestPaths ? RULE_FLAG.requestPaths : 0),
      terms: allowedTerms(rule.terms, file.source, (text) => this.#warn(file, rule.line, text)),
      methods: [...new Set(rule.methods?.map(({ text }) => text))].sort().join(' '),
      ...(rule.grant ? { label: `${file.source.name}:${rule.grant.id}`, until: rule.grant.until } : {}),
    };
    try {
      this.#compileSubject(entry, block, subject, scope, (text) => this.#warn(file, subject.line, text));
      this.#compileRequestPaths(entry, file, rule);
      this.#rules.push(entry);
    } catch (error) {
      if (!(error instanceof PatternProblem)) throw error;
      this.#problems.push(problemOf(error, file, block.subject, subject));
    }
  }

  #compileSubject(
    entry: RuleEntry,
    block: BlockDocument,
    subject: Placed,
    scope: Scope,
    warn: (text: string) => void,
  ): void {
    if (block.subject === 'path') {
      entry.rows = parsePathPattern(subject.text, scope, warn).map((tokens) => ({ kind: 0, tokens }));
    } else if (block.subject === 'command') {
      const { byPath, anyProgram, rows } = parseCommandPattern(subject.text, scope);
      entry.rows = rows.map((tokens) => ({ kind: byPath ? 2 : 1, tokens }));
      if (anyProgram) entry.flags |= RULE_FLAG.anyProgram;
    } else {
      const host = parseDestination(subject.text);
      refuseWideInjection(host, entry.terms, warn);
      entry.hosts = [host];
      // A refusal of every destination means private addresses too, which the wildcard of an allow rule leaves out.
      if (host.kind === HOST_KIND.any && entry.effect !== 'allow') entry.hosts.push({ ...host, kind: HOST_KIND.range });
    }
  }

  #compileRequestPaths(entry: RuleEntry, file: LayeredFile, rule: RuleDocument): void {
    for (const pattern of rule.requestPaths ?? []) {
      try {
        const rows = requestPathRows(pattern.text, entry.effect, (text) => this.#warn(file, pattern.line, text));
        entry.rows.push(...rows.map((tokens) => ({ kind: AUTOMATON_KIND.requestPath, tokens })));
      } catch (error) {
        if (!(error instanceof PatternProblem)) throw error;
        this.#problem(problemOf(error, file, 'paths', pattern));
      }
    }
  }

  /** A list is read once for each destination of its rule; what is wrong with it is said once. */
  #problem(problem: PolicyProblem): void {
    if (!this.#problems.some((known) => describeProblem(known) === describeProblem(problem)))
      this.#problems.push(problem);
  }

  #state(file: LayeredFile, index: number, stated: { effect: EffectName; line: number }, action: ActionName): void {
    const rule = this.#blank(file, index, action, stated.effect, stated.line);
    this.#rules.push(rule);
    this.#statements.push({ action: ACTION[action], effect: stated.effect, rule });
  }

  #blank(file: LayeredFile, index: number, action: ActionName, effect: EffectName, line: number): RuleEntry {
    const label = `${file.source.name}:${line}`;
    const flags = file.source.layer === 'protection' ? RULE_FLAG.protection : 0;
    return {
      action: ACTION[action],
      effect,
      flags,
      file: index,
      line,
      reason: '',
      label,
      pattern: '',
      timeoutMs: 0,
      rows: [],
      hosts: [],
      methods: '',
      terms: NO_TERMS,
      until: 0,
    };
  }

  /** Nobody said anything of deleting, so what holds for writing holds for it. */
  #deleteLikeWrite(): void {
    const builtIn = (rule: RuleEntry): boolean => this.#files[rule.file]!.layer <= LAYER.guards;
    for (const rule of [...this.#rules]) {
      if (rule.action !== ACTION.file_write || builtIn(rule)) continue;
      const copy = { ...rule, action: ACTION.file_delete };
      this.#rules.push(copy);
      const statement = this.#statements.find((known) => known.rule === rule);
      if (statement) this.#statements.push({ ...statement, action: ACTION.file_delete, rule: copy });
    }
  }

  /**
   * The strictest of what was stated, of equals the first; deny if nobody said anything. A project is heard last, so that it can make the default
   * stricter and nothing else.
   */
  #defaultOf(action: number): ActionDefault {
    const stated = this.#statements.filter((statement) => statement.action === action);
    const isProject = ({ rule }: Statement): boolean => tightensOnly(this.#layered[rule.file]!.source);
    let winner: Statement | null = null;
    for (const statement of [...stated.filter((one) => !isProject(one)), ...stated.filter(isProject)]) {
      if (!isProject(statement)) winner = winner ? stricter(winner, statement) : statement;
      else if (EFFECT[statement.effect] > EFFECT[winner?.effect ?? 'deny']) winner = statement;
      else if (EFFECT[statement.effect] < EFFECT[winner?.effect ?? 'deny']) this.#looseDefault(statement);
    }
    const log = this.#logged.has(action);
    if (!winner) return { effect: 'deny', stated: false, log, rule: null };
    return { effect: winner.effect, stated: true, log, rule: winner.rule };
  }

  #looseDefault({ rule }: Statement): void {
    const file = this.#layered[rule.file]!;
    this.#warn(file, rule.line, 'a looser default of a project file has no effect, because it can only tighten');
  }

  #warn(file: LayeredFile, line: number, text: string): void {
    const warning = describeProblem({ file: file.source.path ?? file.source.name, line, column: 1, text });
    if (!this.#warnings.includes(warning)) this.#warnings.push(warning);
  }
}

function stricter(a: Statement, b: Statement): Statement {
  return EFFECT[b.effect] > EFFECT[a.effect] ? b : a;
}

/** A block for deleting in one of these takes the place of the rules for writing; guards and projects only add to either. */
const SPEAKS_FOR_ACTION = new Set<PolicyLayer>(['system', 'user', 'command-line']);
/** What is not there can be neither changed nor removed, nor made. */
const HIDDEN_FROM = ['file_read', 'file_write', 'file_delete'] as const satisfies readonly ActionName[];
/** Actions of which allowed ones get a receipt unless a rule says otherwise. */
const LOGGED_BY_DEFAULT: readonly ActionName[] = ['shell_exec', 'network', 'unix_socket'];
