import { dirname } from 'node:path';
import { type Document, isMap, isScalar, isSeq, parseDocument, type YAMLMap, type YAMLSeq } from 'yaml';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { parsePolicy } from '../../core/policy/parse.ts';
import { PolicyError } from '../../core/policy/policy-error.ts';
import { writeFileAtomic } from '../process/atomic-file.ts';
import { makeDirectories } from '../process/private-directory.ts';
import { checkDestination } from './net-allow.ts';
import { readPolicyFile } from './read-file.ts';
import { realPath } from './roots.ts';

export type NetRuleEdit = {
  /** The user's policy; created as an extension of `default` when it does not exist. */
  file: string;
  uid: number;
  destination: string;
  /** `allow` and `deny` write a rule, in place of one of the other effect for the same destination; `remove` takes both away. */
  change: 'allow' | 'deny' | 'remove';
};

/**
 * Changes a network rule in a policy file and keeps everything else as it is, comments included.
 * @returns whether the file changed
 * @throws GatekeeperError (GK_DESTINATION, GK_POLICY_INVALID, GK_POLICY_EDIT)
 */
export function editNetRule({ file, uid, destination, change }: NetRuleEdit): boolean {
  checkDestination(destination);
  const before = readPolicyFile(file, { owner: uid, followLinks: true });
  const document = parseDocument(before ?? NEW_POLICY);
  refuseInvalid(file, before ?? NEW_POLICY);
  const removed = dropRules(document, destination, change);
  const present = change !== 'remove' && hasRule(document, destination, change);
  if (change !== 'remove' && !present) addRule(document, destination, change);
  if (!removed && (present || change === 'remove')) return false;
  const after = document.toString({ lineWidth: 0 });
  refuseInvalid(file, after);
  try {
    makeDirectories(dirname(file));
    // A link that the user put there, as dotfile managers do, stays one.
    writeFileAtomic(realPath(file), after, { durable: true });
  } catch (error) {
    throw new GatekeeperError('GK_POLICY_EDIT', { where: file, cause: error });
  }
  return true;
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

/** The destinations of a rule, as a list that can be cut. */
function destinationsOf(rule: YAMLMap): string[] {
  const value = rule.get('destination', true) as unknown;
  const items = isSeq(value) ? value.items : [value];
  return items.flatMap((item) => (isScalar(item) && typeof item.value === 'string' ? [item.value] : []));
}

/** Takes the destination out of every rule that says something else of it. */
function dropRules(document: Document, destination: string, keep: NetRuleEdit['change']): boolean {
  let dropped = false;
  for (const rules of networkBlocks(document).map(rulesOf)) {
    if (!rules) continue;
    rules.items = rules.items.filter((rule) => {
      if (!isMap(rule) || rule.get('effect') === keep || !destinationsOf(rule).includes(destination)) return true;
      dropped = true;
      const list = rule.get('destination', true) as unknown;
      if (!isSeq(list)) return false;
      list.items = list.items.filter((item) => !isScalar(item) || item.value !== destination);
      return list.items.length > 0;
    });
  }
  return dropped;
}

function hasRule(document: Document, destination: string, effect: string): boolean {
  return networkBlocks(document)
    .flatMap((block) => rulesOf(block)?.items ?? [])
    .some((rule) => isMap(rule) && rule.get('effect') === effect && destinationsOf(rule).includes(destination));
}

function addRule(document: Document, destination: string, effect: string): void {
  const rule = document.createNode({ destination, effect }, { flow: true });
  const block = networkBlocks(document)[0];
  if (!block) {
    const fresh = document.createNode({ action: 'network', rules: [] as unknown[] });
    const list = (fresh as YAMLMap).get('rules') as YAMLSeq;
    list.flow = false;
    list.add(rule);
    if (isSeq(document.get('policies'))) document.addIn(['policies'], fresh);
    else document.set('policies', document.createNode([fresh]));
    return;
  }
  const rules = rulesOf(block);
  if (rules) {
    if (rules.items.length === 0) rules.flow = false;
    rules.add(rule as YAMLMap);
  } else block.set('rules', document.createNode([rule]));
}

const NEW_POLICY = `# Your own policy. What it does not say, the policies it extends say.
version: 1
name: mine
extends: [default]
policies:
  - action: network
    rules: []
`;
