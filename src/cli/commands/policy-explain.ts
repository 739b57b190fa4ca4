import { addressFromBytes, formatAddress } from '../../core/egress/address.ts';
import { type Answer, type Asked, answer, type ConnectionAccount } from '../../core/engine/answer.ts';
import type { RuleAccount } from '../../core/engine/explain.ts';
import { visible, visibleShort } from '../../core/text/visible.ts';
import { ownHome, workingDirectory } from '../home.ts';
import { howToAllow } from '../how-to-allow.ts';
import { placeOf, policyHere } from '../policy-here.ts';
import { readQuestion } from '../question.ts';
import { paint, paintVerdict } from '../render/paint.ts';
import { print, printJson } from '../render/print.ts';
import { connectionLines } from '../render/terms-text.ts';

export type ExplainOptions = { policy?: string; netAllow?: string[]; json?: boolean };

/** Says what would happen and why. Exits 0 when allowed, 1 when denied, 2 when a human is asked. */
export async function policyExplain(
  action: string,
  target: readonly string[],
  options: ExplainOptions,
): Promise<number> {
  const asked = readQuestion(action, target, workingDirectory());
  const here = policyHere({ ...options, grants: true });
  const { image } = here;
  const found = answer(image, asked);
  const hint = found.verdict === 'allow' ? undefined : howToAllow(found, ruleSubjectOf(asked), ownHome().userPolicy);
  const place = found.winner ? placeOf(here, image.rules[found.winner.rule]!) : undefined;
  if (options.json) printJson({ ...found, subject: subjectOf(asked), place: place ?? null, hint: hint ?? null });
  else print(explanationText(asked, found, place, hint));
  return found.verdict === 'allow' ? 0 : found.verdict === 'ask' ? 2 : 1;
}

function explanationText(asked: Asked, found: Answer, place: string | undefined, hint: string | undefined): string {
  const lines = [
    `${paintVerdict(found.verdict)}  ${asked.action} ${visible(subjectOf(asked))}`,
    `because  ${authority(found)}`,
  ];
  if (place) lines.push(paint('dim', `at       ${visible(place)}`));
  if (found.pierced) lines.push(`pierced  ${ruleText(found.pierced)}`);
  const others = found.matching.filter(({ rule }) => rule !== found.winner?.rule && rule !== found.pierced?.rule);
  for (const other of others) lines.push(`${other.pierced ? 'pierced ' : 'also    '} ${ruleText(other)}`);
  if (found.connection && found.verdict !== 'deny' && !isPlainRequest(asked))
    lines.push(...connectionLines(found.connection));
  if (found.connection && isUnseen(asked, found.connection)) lines.push(UNSEEN);
  if (hint) lines.push(`to allow ${hint}`);
  return lines.join('\n');
}

const isPlainRequest = (asked: Asked): boolean =>
  asked.action === 'network' && asked.request !== undefined && asked.tls !== true;

/** Whether something was asked about that TLS hides from rules. */
function isUnseen(asked: Asked, { inspect }: ConnectionAccount): boolean {
  return asked.action === 'network' && asked.tls === true && !inspect;
}

const UNSEEN = 'not seen method and path: TLS hides them, and no rule for this host says inspect: true';

function authority({ winner, defaultLabel, launcher, verdict, action, effect }: Answer): string {
  if (winner) return `${ruleText(winner)}${winner.reason ? `: ${visible(winner.reason)}` : ''}`;
  if (launcher && verdict === 'allow') return 'a shell or launcher: what it starts is judged by itself';
  const stated = defaultLabel
    ? `the default at ${visible(defaultLabel)}`
    : 'the default of the action, which nobody stated';
  return `no rule for ${action} matches; ${stated} says ${effect}`;
}

function ruleText({ label, effect, pattern, override }: RuleAccount): string {
  return `${paint('bold', visible(label))} ${effect}${override ? ' (override)' : ''} ${visibleShort(pattern)}`;
}

/** What was judged: the object's own path, the command as a rule sees it, the destination. */
export function subjectOf(asked: Asked): string {
  return asked.action === 'network' && asked.url !== undefined ? asked.url : ruleSubjectOf(asked);
}

/** The same as a rule would name it. */
function ruleSubjectOf(asked: Asked): string {
  switch (asked.action) {
    case 'shell_exec':
      return asked.words[0]?.includes('/')
        ? [asked.alias ?? asked.program, ...asked.words.slice(1)].join(' ')
        : asked.words.join(' ');
    case 'network':
      return `${asked.name ?? addressText(asked.address)}:${asked.port}`;
    default:
      return asked.path;
  }
}

function addressText(bytes: Uint8Array | undefined): string {
  const address = bytes && addressFromBytes(bytes);
  if (!address) return '?';
  const text = formatAddress(address);
  return text.includes(':') ? `[${text}]` : text;
}
