import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type Scalar,
  visit,
} from 'yaml';
import type { Placed } from './document.ts';
import type { PolicyProblem } from './policy-error.ts';

type Child = Node | null | undefined;

/** Reads YAML (of which JSON is a part) node by node and collects every problem with its place instead of stopping at the first. */
export class YamlReader {
  readonly problems: PolicyProblem[] = [];
  readonly root: Child;
  readonly #file: string;
  readonly #text: string;
  readonly #lines = new LineCounter();

  constructor(file: string, text: string) {
    this.#file = file;
    this.#text = text;
    const options = {
      lineCounter: this.#lines,
      uniqueKeys: false,
      schema: 'core',
      version: '1.2',
      merge: false,
    } as const;
    const document = parseDocument(text, { ...options, prettyErrors: false, strict: true });
    for (const issue of [...document.errors, ...document.warnings])
      this.#syntax(issue.code, issue.message, issue.pos[0]);
    this.root = document.contents as Child;
    if (this.problems.length === 0) this.#refuseReferences();
  }

  problem(node: Child, text: string, remedy?: string): void {
    const { line, column } = this.place(node);
    this.problems.push({ file: this.#file, line, column, text, ...(remedy ? { remedy } : {}) });
  }

  problemAt({ line, column }: { line: number; column: number }, text: string, remedy?: string): void {
    this.problems.push({ file: this.#file, line, column, text, ...(remedy ? { remedy } : {}) });
  }

  place(node: Child): { line: number; column: number } {
    const at = this.#lines.linePos(node?.range?.[0] ?? 0);
    return { line: Math.max(1, at.line), column: Math.max(1, at.col) };
  }

  /** The map's entries by key; unknown and repeated keys are problems. The library looks for repeated ones too, in quadratic time. */
  map(node: Child, what: string, known: readonly string[]): Map<string, { key: Node; value: Child }> {
    const entries = new Map<string, { key: Node; value: Child }>();
    const seen = new Set<string>();
    if (!isMap(node)) {
      this.problem(node, `${what} must be a mapping, not ${kindOf(node)}`);
      return entries;
    }
    for (const { key, value } of node.items as Pair<Node, Child>[]) {
      const name = isScalar(key) && typeof key.value === 'string' ? key.value : null;
      if (name === null) this.problem(key, `a key of ${what} must be a string`);
      else if (seen.has(name)) this.problem(key, 'the same key occurs twice');
      else if (known.length > 0 && !known.includes(name)) {
        this.problem(key, `unknown key ${quote(name)} in ${what}`, `keys are ${known.join(', ')}`);
      } else entries.set(name, { key, value });
      if (name !== null) seen.add(name);
    }
    return entries;
  }

  list(node: Child, what: string): Child[] {
    if (isSeq(node)) return node.items as Child[];
    this.problem(node, `${what} must be a list, not ${kindOf(node)}`);
    return [];
  }

  /** A string, or a list of strings. */
  strings(node: Child, what: string): Placed[] {
    const items = isSeq(node) ? (node.items as Child[]) : [node];
    return items.flatMap((item) => this.string(item, what) ?? []);
  }

  string(node: Child, what: string): Placed | null {
    const value = isScalar(node) ? (node as Scalar).value : undefined;
    if (typeof value === 'string') return { text: value, ...this.place(node), inset: this.#inset(node, value) };
    this.problem(node, `${what} must be a string, not ${kindOf(node)}`, 'put it in quotes if it is one');
    return null;
  }

  boolean(node: Child, what: string): boolean | undefined {
    const value = isScalar(node) ? (node as Scalar).value : undefined;
    if (typeof value === 'boolean') return value;
    this.problem(node, `${what} must be true or false, not ${kindOf(node)}`);
    return undefined;
  }

  #inset(node: Child, value: string): number {
    const [from, to] = node?.range ?? [0, 0];
    const written = this.#text.slice(from, to);
    if (written === value) return 0;
    return written.slice(1, -1) === value ? 1 : -1;
  }

  #refuseReferences(): void {
    visit(this.root as Node, (_key, node) => {
      if (isAlias(node)) this.problem(node, 'aliases are not supported', 'write the value out');
      else if (node && typeof node === 'object' && 'anchor' in node && node.anchor) {
        this.problem(node as Node, 'anchors are not supported', 'write the value out');
      } else if (isScalar(node) && node.tag && !CORE_TAGS.has(node.tag)) this.problem(node, 'tags are not supported');
    });
  }

  #syntax(code: string, message: string, offset: number): void {
    const at = this.#lines.linePos(offset);
    const text = /call stack/.test(message) ? 'the nesting is too deep' : (message.split('\n')[0] ?? code);
    this.problemAt({ line: Math.max(1, at.line), column: Math.max(1, at.col) }, text);
  }
}

/** Text of the user's in a message: quoted, and on one line. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}…` : text);
}

function kindOf(node: Child): string {
  if (isMap(node)) return 'a mapping';
  if (isSeq(node)) return 'a list';
  const value = isScalar(node) ? (node as Scalar).value : null;
  if (value === null || value === undefined) return 'empty';
  return typeof value === 'string' ? quote(value) : `the ${typeof value} ${String(value)}`;
}

const CORE_TAGS = new Set(['str', 'int', 'float', 'bool', 'null'].map((name) => `tag:yaml.org,2002:${name}`));
