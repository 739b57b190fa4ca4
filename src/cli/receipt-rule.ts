import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { sha256 } from '../adapters/policy-files/digest.ts';
import { presetPath } from '../adapters/policy-files/presets.ts';
import { suggestRules } from '../core/analysis/net-suggest.ts';
import type { AuditRecord } from '../core/audit/record.ts';
import { type Asked, answer } from '../core/engine/answer.ts';
import type { PolicyImage, RuleView } from '../core/engine/image.ts';
import { ownHome } from './home.ts';
import { howToAllow } from './how-to-allow.ts';
import { questionText } from './receipt-question.ts';
import { reasonText } from './render/reason-text.ts';

/** A rule as it stood when it decided. */
export type RuleOfReceipt = {
  /** `user:policy.yaml:7` */
  label: string;
  effect: string | null;
  /** As written; of a rule with several patterns the one that took this. */
  pattern: string | null;
  reason: string | null;
  /** `/home/me/.config/gatekeeper/policy.yaml:7` where that file is still what it was. */
  place: string | null;
  /** Whether the file was changed since, or is gone. */
  changed: boolean;
};

/** @param image the policy that decided, if it is kept */
export function ruleOf(
  image: PolicyImage | undefined,
  label: string | undefined,
  record: AuditRecord,
  question: Asked | undefined,
  cwd: string | null | undefined,
): RuleOfReceipt | null {
  if (label === undefined) return null;
  const rule = image && ruleCalled(image, label, record.action, question);
  const file = rule && image.files[rule.file];
  const path = file && pathOf(file.name, cwd);
  const digest = file && digestOf(image.meta, file.name);
  const same = path !== undefined && existsSync(path) && digest !== undefined && sha256(readFileSync(path)) === digest;
  return {
    label,
    effect: rule?.effect ?? null,
    pattern: rule?.pattern || null,
    reason: rule?.reason || record.reason || null,
    place: same ? `${path}:${rule!.line}` : null,
    changed: path !== undefined && !same,
  };
}

/** What would have allowed it under the policy that decided, in words or as a command. */
export function wayToAllow(
  image: PolicyImage | undefined,
  record: AuditRecord,
  question: Asked | undefined,
): string | undefined {
  const { action, source, reason } = record;
  if (action === 'network' && source !== 'rule') return wayToReach(record);
  if (source === 'protection' || source === 'own') return 'nothing can: gatekeeper keeps this from every run';
  if (source === 'internal') return `no rule can: ${reasonText(reason)}`;
  if (!image || !question) return undefined;
  const found = answer(image, question);
  const subject = questionText(question);
  // What is refused for another cause than its name, such as another name of the same file.
  if (found.verdict === 'allow') return `the policy allows this name; refused since ${reasonText(reason)}`;
  return howToAllow(found, question.action === 'shell_exec' ? subject : subjectOf(question), ownHome().userPolicy);
}

function wayToReach(record: AuditRecord): string | undefined {
  const { rules, notSuggested } = suggestRules([record]);
  if (rules[0]) return `gatekeeper net allow ${rules[0].destinations.join(' ')}`;
  const [apart] = notSuggested;
  if (!apart) return undefined;
  return apart.command === null ? `not suggested: ${apart.because}` : `${apart.command}; note: ${apart.because}`;
}

function subjectOf(asked: Exclude<Asked, { action: 'shell_exec' }>): string {
  if (asked.action !== 'network') return asked.path;
  const { url: _, ...endpoint } = asked;
  return questionText(endpoint);
}

/** One line of a policy may hold several patterns: that which takes what was asked, if that can be told. */
function ruleCalled(
  image: PolicyImage,
  label: string,
  action: string,
  question: Asked | undefined,
): RuleView | undefined {
  const called = image.rules.filter((rule) => rule.label === label && rule.action === action);
  if (called.length < 2 || !question) return called[0];
  const matching = new Set(answer(image, question).matching.map(({ rule }) => image.rules[rule]));
  return called.find((rule) => matching.has(rule)) ?? called[0];
}

/** Where a file lies that a policy calls `user:policy.yaml`; undefined for files elsewhere. */
function pathOf(name: string, cwd: string | null | undefined): string | undefined {
  const [layer = '', file = ''] = [name.slice(0, name.indexOf(':')), name.slice(name.indexOf(':') + 1)];
  const { userPolicy, systemPolicyDir } = ownHome();
  if (layer === 'user' && file === basename(userPolicy)) return userPolicy;
  if (layer === 'system') return `${systemPolicyDir}/${file}`;
  if (layer === 'preset') return presetPath(file.replace(/\.yaml$/, ''));
  if (layer === 'project' && cwd) return `${cwd}/${file}`;
  return undefined;
}

function digestOf(meta: unknown, name: string): string | undefined {
  const { files } = (meta ?? {}) as { files?: { name?: unknown; digest?: unknown }[] };
  const digest = files?.find((file) => file.name === name)?.digest;
  return typeof digest === 'string' ? digest : undefined;
}
