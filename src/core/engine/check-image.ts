import { saysNothing } from '../policy/connection-terms.ts';
import { isWide } from '../policy/destination.ts';
import { AUTOMATON_KIND, MOST } from '../policy/image-layout.ts';
import { RULE_FLAG } from '../policy/rule-table.ts';
import { LAYER } from '../policy/source.ts';
import { ACTION } from '../wire/messages.ts';
import { ABSORBING, type Automaton, DENSE, KEYS } from './automaton.ts';
import { checkRegion } from './check-region.ts';
import type { PolicyImage, RuleView } from './image.ts';
import { ImageError } from './image-error.ts';

/** Checks what deciding relies on: the same conditions that the supervisor puts to an image. @throws ImageError */
export function checkImage(image: PolicyImage): void {
  if (image.files.length > MOST.files || image.rules.length > MOST.rules)
    throw new ImageError('too many files or rules');
  if (image.roots.length !== 6 || image.roots.some((root) => !root.startsWith('/')))
    throw new ImageError('wrong roots');
  checkRegion(image);
  checkPrecedence(image);
  const sets = acceptSetStarts(image);
  for (const [action, automata] of Object.entries(image.automata)) {
    if (automata.length > MOST.automata) throw new ImageError('action with too many automata');
    for (const automaton of automata) {
      if (automaton.action !== ACTION[action as keyof typeof ACTION])
        throw new ImageError('automaton of another action');
      checkAutomaton(automaton, sets);
    }
  }
  for (const host of image.hosts) {
    if (image.rules[host.rule]?.action !== 'network') throw new ImageError('host entry without a network rule');
    if (host.kind > 4 || host.prefixLength > 128 || host.portLow > host.portHigh)
      throw new ImageError('malformed host entry');
    if (image.rules[host.rule]!.terms.injections.length > 0 && isWide(host))
      throw new ImageError('injection for everybody');
  }
}

/** Nothing may claim to be above the built-in protection, or to be a part of it. */
function checkPrecedence({ files, rules, defaults }: PolicyImage): void {
  for (const file of files) {
    if (file.pierces >> BigInt(files.length) !== 0n)
      throw new ImageError('file that pierces a file that does not exist');
    files.forEach((other, index) => {
      if (other.layer === 0 && (file.pierces >> BigInt(index)) & 1n)
        throw new ImageError('file that pierces the protection');
    });
  }
  for (const rule of rules) {
    if (rule.flags & RULE_FLAG.protection && rule.layer !== 0)
      throw new ImageError('rule that claims to be protection');
    if (rule.flags & RULE_FLAG.hide && (rule.action !== 'file_read' || rule.effect !== 'deny'))
      throw new ImageError('rule that hides and denies no reading');
    if (!saysNothing(rule.terms) && !canHaveTerms(rule)) throw new ImageError('terms of a rule that has none');
    if (rule.flags & ABOUT_REQUESTS && rule.action !== 'network')
      throw new ImageError('rule about requests that is not of network');
  }
  for (const { rule } of Object.values(defaults)) {
    if (rule !== null && rule >= rules.length) throw new ImageError('default that is stated by no rule');
  }
  checkGrants(files, rules);
}

function canHaveTerms({ action, effect, layer }: RuleView): boolean {
  return action === 'network' && (effect === 'allow' || effect === 'ask') && layer !== LAYER.grants;
}

/** A grant answers rules that ask: it pierces nothing, and nothing else may end. */
function checkGrants(files: PolicyImage['files'], rules: PolicyImage['rules']): void {
  for (const { layer, pierces } of files) {
    if (layer > LAYER.grants) throw new ImageError('file of an unknown layer');
    if (layer === LAYER.grants && pierces !== 0n) throw new ImageError('grants that pierce a file');
  }
  for (const { layer, effect, flags, until } of rules) {
    if (layer === LAYER.grants && (effect !== 'allow' || (flags & ~OF_GRANTS) !== 0))
      throw new ImageError('grant that is more than an answer');
    if (layer !== LAYER.grants && until !== 0) throw new ImageError('rule that ends and is no grant');
  }
}

function acceptSetStarts({ accepts, rules }: PolicyImage): Set<number> {
  const starts = new Set<number>();
  if (accepts[0] !== 0) throw new ImageError('accept sets do not begin with the empty set');
  for (let at = 0; at < accepts.length; at += accepts[at]! + 1) {
    const count = accepts[at]!;
    if (at + count >= accepts.length || (count === 0 && at > 0)) throw new ImageError('malformed accept set');
    for (let index = 1; index <= count; index++) {
      const rule = accepts[at + index]!;
      if (rule >= rules.length || (index > 1 && accepts[at + index - 1]! >= rule))
        throw new ImageError('malformed accept set');
    }
    starts.add(at);
  }
  return starts;
}

function checkAutomaton(automaton: Automaton, sets: Set<number>): void {
  const { words, classes, classMap, kind, action, start } = automaton;
  if (!kindsOf(action).includes(kind)) {
    throw new ImageError('automaton of a kind that its action does not have');
  }
  if (classes < 1 || classes > 256 || classMap.some((value) => value >= classes))
    throw new ImageError('malformed class map');
  if (words[0] !== 0 || words[1] !== ABSORBING || words[2] !== 0)
    throw new ImageError('automaton without its dead state');
  const states = new Uint8Array(words.length);
  for (let at = 0; at < words.length; at += stateWords(automaton, at)) states[at] = 1;
  if (!states[start]) throw new ImageError('automaton starts in no state');
  for (let at = 0; at < words.length; at += stateWords(automaton, at)) {
    if (!sets.has(words[at]!)) throw new ImageError('state with an accept set that does not exist');
    checkState(automaton, at, states);
  }
}

function kindsOf(action: number): readonly number[] {
  if (action === ACTION.tool_call) return [];
  if (action === ACTION.network) return [AUTOMATON_KIND.requestPath];
  return action === ACTION.shell_exec
    ? [AUTOMATON_KIND.commandBase, AUTOMATON_KIND.commandPath]
    : [AUTOMATON_KIND.path];
}

function stateWords({ words, classes }: Automaton, at: number): number {
  const head = words[at + 1];
  if (head === undefined || (head & ~(DENSE | ABSORBING | KEYS)) !== 0) throw new ImageError('malformed state');
  const count = head & KEYS;
  if (head & DENSE ? count !== 0 && count !== classes : count > 256) throw new ImageError('malformed state');
  const need = head & DENSE ? 2 + classes : 3 + ((count + 3) >> 2) + count;
  if (at + need > words.length) throw new ImageError('malformed state');
  return need;
}

function checkState({ words, classes }: Automaton, at: number, states: Uint8Array): void {
  const head = words[at + 1]!;
  const count = head & KEYS;
  const sparse = (head & DENSE) === 0;
  const first = at + 3 + ((count + 3) >> 2);
  const targets = sparse
    ? [words[at + 2]!, ...words.subarray(first, first + count)]
    : words.subarray(at + 2, at + 2 + classes);
  for (const target of targets) {
    if (!states[target]) throw new ImageError('transition that leads to no state');
    if (head & ABSORBING && target !== at) throw new ImageError('absorbing state with a way out');
  }
  const key = (index: number): number => (words[at + 3 + (index >> 2)]! >>> (8 * (index & 3))) & 0xff;
  for (let index = 1; sparse && index < count; index++) {
    if (key(index - 1) >= key(index)) throw new ImageError('state with unsorted keys');
  }
}

/** What is true of a grant besides that it allows. */
const OF_GRANTS = RULE_FLAG.log | RULE_FLAG.checkChildren | RULE_FLAG.anyProgram;
const ABOUT_REQUESTS = RULE_FLAG.methods | RULE_FLAG.requestPaths;
