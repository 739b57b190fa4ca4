import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import { type Answer, type Asked, answer } from '../core/engine/answer.ts';
import { PolicyImage } from '../core/engine/image.ts';
import { visible } from '../core/text/visible.ts';
import type { FailedRequest } from './failed-requests.ts';
import { type ErrorFacts, questionsOf } from './questions.ts';
import { hostQuestion, subjectOf, wordsFor } from './subjects.ts';

/** What a refused call's error has as `gatekeeper`. */
export type Refusal = {
  action: string;
  /** The path, the command or host and port, as the policy judged them. */
  target: string;
  /** The rule, or the statement of the default, by the name under which users know it (`preset:default.yaml:84`). */
  rule: string | null;
  reason: string;
  /** Digest of the policy's image. */
  policy: string;
  /** `ask`: a human could allow it without changing a rule. */
  verdict: 'deny' | 'ask';
  /** What to do about it, for whoever reads it. */
  ask: string;
};

/** The refusal behind an error of Node; undefined when the policy allows what the error is about, and the system has reasons of its own. */
export function explain(imagePath: string, error: ErrorFacts, request: FailedRequest | undefined): Refusal | undefined {
  const image = imageAt(imagePath);
  const questions = request ? asList(hostQuestion(request.host, request.port)) : questionsOf(error);
  const answers = questions.map((asked) => ({ asked, found: answer(image, asked) }));
  const refused = answers.filter(({ found }) => found.verdict !== 'allow');
  const [first] = isLookup(error) && refused.length < answers.length ? [] : refused;
  if (first) return refusal(image, first.asked, first.found.verdict as Refusal['verdict'], wordsOf(first.found));
  // The proxy speaks from the policy in force, which may be a newer one, and of addresses that names turned out to have.
  const [asked] = questions;
  return asked && request?.told ? refusal(image, asked, 'deny', request.told) : undefined;
}

/** The line that the preload library prints for the same refusal. */
export function lineFor({ action, target, reason, rule, ask }: Refusal): string {
  const place = rule === null ? '' : ` (${visible(rule)})`;
  return `gatekeeper: denied ${action} ${visible(target)}: ${visible(reason)}${place}. ${ask}`;
}

function refusal(
  image: PolicyImage,
  asked: Asked,
  verdict: Refusal['verdict'],
  { rule, message }: { rule: string | null; message: string },
): Refusal {
  const target = subjectOf(asked);
  return {
    action: asked.action,
    target,
    rule,
    reason: message,
    policy: `sha256:${image.digest}`,
    verdict,
    ask: `Ask the user if you need it; they can see: gatekeeper policy explain ${asked.action} ${wordsFor(asked)}`,
  };
}

function wordsOf({ winner, defaultLabel }: Answer): { rule: string | null; message: string } {
  if (!winner) return { rule: defaultLabel, message: 'no rule allows it' };
  return { rule: winner.label, message: winner.reason || 'a rule denies it' };
}

/** Names are not looked up in runs; the policy is behind that only if it denies the name at every port that was asked about. */
const isLookup = ({ hostname }: ErrorFacts): boolean => typeof hostname === 'string';

/** Read at the first refusal. A run whose policy changed goes on with the explanations of the one that it began with. */
function imageAt(path: string): PolicyImage {
  if (opened === undefined) {
    const bytes = readFileSync(path);
    opened = PolicyImage.open(bytes, createHash('sha256').update(bytes).digest('hex'), uptime);
  }
  return opened;
}

const asList = <T>(value: T | undefined): T[] => (value === undefined ? [] : [value]);
let opened: PolicyImage | undefined;
