import { dirname } from 'node:path';
import { type Document, isMap, isScalar, isSeq, type Pair, parseDocument, type YAMLMap, type YAMLSeq } from 'yaml';
import { isSameDestination } from '../../core/analysis/meant-destination.ts';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { parsePolicy } from '../../core/policy/parse.ts';
import { PolicyError } from '../../core/policy/policy-error.ts';
import { writeFileAtomic } from '../process/atomic-file.ts';
import { makeDirectories } from '../process/private-directory.ts';
import { checkDestination } from './net-allow.ts';
import { readPolicyFile } from './read-file.ts';
import { realPath } from './roots.ts';
import { TextSplices } from './text-splices.ts';

export type NetRuleEdit = {
  /** The user's policy; created as an extension of `default` when it does not exist. */
  file: string;
  uid: number;
  destinations: readonly string[];
  /**
   * `allow` and `deny` write a rule, in place of one of another effect for the same destination; one that speaks of some requests only stays.
   * `remove` takes away every rule for the destination.
   */
  change: 'allow' | 'deny' | 'remove';
  /** Written into the rules; undefined leaves the reason of one that is there. */
  reason?: string | undefined;
};

/**
 * Changes network rules in a policy file, all or none, and leaves everything else as it is written.
 * @returns the destinations that the file said something else of before
 * @throws GatekeeperError (GK_DESTINATION, GK_POLICY_INVALID, GK_POLICY_EDIT)
 */
export function editNetRules({ file, uid, destinations, change, reason }: NetRuleEdit): string[] {
  for (const destination of destinations) checkDestination(destination);
  const before = readPolicyFile(file, { owner: uid, followLinks: true });
  refuseInvalid(file, before ?? NEW_POLICY);
  const edit = new RuleEdit(before ?? NEW_POLICY, change, reason);
  const changed = distinct(destinations).filter((destination) => edit.make(destination));
  if (changed.length === 0) return [];
  const after = edit.text();
  refuseInvalid(file, after);
  try {
    makeDirectories(dirname(file));
    // A link that the user put there, as dotfile managers do, stays one.
    writeFileAtomic(realPath(file), after, { durable: true });
  } catch (error) {
    throw new GatekeeperError('GK_POLICY_EDIT', { where: file, cause: error });
  }
  return changed;
}

class RuleEdit {
  readonly #document: Document;
  readonly #splices: TextSplices;
  readonly #change: NetRuleEdit['change'];
  readonly #reason: string | undefined;

  constructor(text: string, change: NetRuleEdit['change'], reason: string | undefined) {
    this.#document = parseDocument(text);
    this.#splices = new TextSplices(text);
    this.#change = change;
    this.#reason = reason;
  }

  /** Whether anything had to be changed. */
  make(destination: string): boolean {
    const dropped = this.#drop(destination);
    if (this.#change === 'remove' || this.#isSaid(destination)) return dropped;
    this.#add(destination);
    return true;
  }

  text(): string {
    return this.#splices.result(this.#document.toJS()) ?? this.#document.toString({ lineWidth: 0 });
  }

  #drop(destination: string): boolean {
    let dropped = false;
    for (const rules of this.#ruleLists()) {
      const written = [...rules.items];
      rules.items = rules.items.filter((rule) => {
        if (!isMap(rule) || this.#stays(rule) || !names(rule, destination)) return true;
        dropped = true;
        const list = rule.get('destination', true) as unknown;
        const others = isSeq(list) ? list.items.filter((item) => !isNamed(item, destination)) : [];
        if (!isSeq(list) || others.length === 0) {
          this.#splices.dropItem(written, rule);
          return false;
        }
        for (const item of list.items) if (isNamed(item, destination)) this.#splices.dropItem(list.items, item);
        list.items = others;
        return true;
      });
    }
    return dropped;
  }

  /** A rule that says what is wanted, or that speaks of some requests alone and so means something else. */
  #stays(rule: YAMLMap): boolean {
    if (this.#change === 'remove') return false;
    return isPartial(rule) || (rule.get('effect') === this.#change && this.#hasReason(rule));
  }

  #isSaid(destination: string): boolean {
    return this.#ruleLists()
      .flatMap(({ items }) => items)
      .some((rule) => isMap(rule) && !isPartial(rule) && this.#stays(rule) && names(rule, destination));
  }

  #hasReason(rule: YAMLMap): boolean {
    return this.#reason === undefined || rule.get('reason') === this.#reason;
  }

  #add(destination: string): void {
    const reason = this.#reason === undefined ? {} : { reason: this.#reason };
    const rule = this.#document.createNode({ destination, effect: this.#change, ...reason }, { flow: true });
    const block = networkBlocks(this.#document)[0];
    const rules = block && rulesOf(block);
    if (!rules) {
      this.#splices.giveUp();
      this.#addList(block, rule as YAMLMap);
      return;
    }
    const text = `{ ${Object.entries({ destination, effect: this.#change, ...reason })
      .map(([key, value]) => `${key}: ${key === 'effect' ? value : JSON.stringify(value)}`)
      .join(', ')} }`;
    const last = rules.items.findLast(({ range }) => range);
    const key = (block.items as Pair[]).find(({ value }) => value === rules)?.key;
    if (last) this.#splices.addBehind(last, text);
    else this.#splices.addFirst(key, rules, text);
    if (rules.items.length === 0) rules.flow = false;
    rules.add(rule as YAMLMap);
  }

  #addList(block: YAMLMap | undefined, rule: YAMLMap): void {
    const document = this.#document;
    if (block) {
      block.set('rules', document.createNode([rule]));
      return;
    }
    const fresh = document.createNode({ action: 'network', rules: [] as unknown[] });
    const list = (fresh as YAMLMap).get('rules') as YAMLSeq;
    list.flow = false;
    list.add(rule);
    if (isSeq(document.get('policies'))) document.addIn(['policies'], fresh);
    else document.set('policies', document.createNode([fresh]));
  }

  #ruleLists(): YAMLSeq<YAMLMap>[] {
    return networkBlocks(this.#document).flatMap((block) => rulesOf(block) ?? []);
  }
}

function refuseInvalid(file: string, text: string): void {
  try {
    parsePolicy({ name: 'user:policy.yaml', layer: 'user', text, path: file });
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    throw new GatekeeperError('GK_POLICY_INVALID', { what: error.message, where: file, cause: error });
  }
}

function networkBlocks(document: Document): YAMLMap[] {
  const blocks = document.get('policies');
  if (!isSeq(blocks)) return [];
  return blocks.items.filter((block): block is YAMLMap => {
    if (!isMap(block)) return false;
    const action = block.get('action', true);
    const names = isSeq(action) ? action.items : [action];
    return names.some((name) => isScalar(name) && name.value === 'network');
  });
}

function rulesOf(block: YAMLMap): YAMLSeq<YAMLMap> | null {
  const rules = block.get('rules');
  return isSeq(rules) ? (rules as YAMLSeq<YAMLMap>) : null;
}

function names(rule: YAMLMap, destination: string): boolean {
  const value = rule.get('destination', true) as unknown;
  return (isSeq(value) ? value.items : [value]).some((item) => isNamed(item, destination));
}

const isNamed = (item: unknown, destination: string): boolean =>
  isScalar(item) && typeof item.value === 'string' && isSameDestination(item.value, destination);

/** Whether it has a member beyond those of a rule that speaks of the destination as a whole. */
const isPartial = (rule: YAMLMap): boolean =>
  rule.items.some(({ key }) => !WHOLE.has(isScalar(key) ? String(key.value) : ''));

const distinct = (destinations: readonly string[]): string[] =>
  destinations.filter((one, at) => destinations.findIndex((other) => isSameDestination(one, other)) === at);

const WHOLE: ReadonlySet<string> = new Set(['destination', 'effect', 'reason', 'override', 'log', 'timeout']);

const NEW_POLICY = `# Your own policy. What it does not say, the policies it extends say.
version: 1
name: mine
extends: [default]
policies:
  - action: network
    rules: []
`;
