import { matchPath, type PathAction } from '../engine/decide.ts';
import type { PolicyImage } from '../engine/image.ts';
import { resolve } from '../engine/precedence.ts';
import { LAYER } from '../policy/source.ts';
import { type Judgement, judgementOf, type Undecidable } from './judgement.ts';
import { bytesOf, type RecordedDecision } from './recorded.ts';

/** Files and Unix sockets: the canonical path is all that is judged. */
export function judgePath(image: PolicyImage, record: RecordedDecision): Judgement | Undecidable {
  const path = bytesOf(record, 'target');
  if (path === undefined) return { why: 'no-input' };
  const action = record.action as PathAction;
  const matching = matchPath(image, action, path);
  const decision = resolve(image, action, matching);
  const judgement = judgementOf(image, decision);
  if (judgement.effect === 'allow' || record.verdict !== 'allow' || !isGitsOwn(record)) return judgement;
  return isByGuards(image, action, matching, decision.rule)
    ? { ...judgement, effect: 'allow', source: decision.source, byContent: 'git-content' }
    : judgement;
}

/**
 * What the built-in guards alone refuse may be let pass for its content: git's own files without anything that runs a program
 * (native-hooks/supervise/git_config.c). The receipt then names the guard as the rule of an allow.
 */
function isByGuards(image: PolicyImage, action: PathAction, matching: readonly number[], rule: number | null): boolean {
  if (rule === null || image.rules[rule]!.layer !== LAYER.guards) return false;
  const others = matching.filter((one) => image.rules[one]!.layer !== LAYER.guards);
  return resolve(image, action, others).effect === 'allow';
}

const isGitsOwn = ({ action, target = '' }: RecordedDecision): boolean =>
  (action === 'file_write' || action === 'file_delete') && GITS_OWN.test(target);

const GITS_OWN = /\/\.git\/(?:.*\/)?(?:config|config\.worktree|gitdir|commondir)$/s;
