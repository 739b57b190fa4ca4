import { compareConnections } from '../../core/analysis/connection-differences.ts';
import { compareImages, type Difference } from '../../core/analysis/differences.ts';
import type { Decision } from '../../core/engine/precedence.ts';
import { visible, visibleShort } from '../../core/text/visible.ts';
import { type PolicyHere, placeOf, policyHere } from '../policy-here.ts';
import { paint, paintVerdict } from '../render/paint.ts';
import { print, printJson } from '../render/print.ts';
import { witnessText } from '../render/subject.ts';
import { connectionJson, connectionText } from '../render/terms-text.ts';

/** Says what two policies judge differently. Exits 1 when they differ, or when that could not be found out for every action. */
export async function policyDiff(
  first: string,
  second: string | undefined,
  { json = false }: { json?: boolean },
): Promise<number> {
  const before = policyHere(second === undefined ? {} : { policy: first });
  const after = policyHere({ policy: second ?? first });
  const { differences, incomplete } = compareImages(before.image, after.image);
  const connections = compareConnections(before.image, after.image);
  const status = differences.length + connections.length + incomplete.length > 0 ? 1 : 0;
  if (json) {
    printJson({
      before: before.name,
      after: after.name,
      differences: differences.map((one) => differenceJson(one, before, after)),
      connections: connections.map(connectionJson),
      incomplete,
    });
    return status;
  }
  for (const one of differences) print(differenceText(one, before, after));
  for (const one of connections) print(connectionText(one));
  for (const action of incomplete) {
    print(`${paint('yellow', 'not compared')}  ${action}: its patterns are too many together`);
  }
  const names = `${visible(before.name)} → ${visible(after.name)}`;
  const rest = incomplete.length > 0 ? '' : ', each with a shortest example; there is no other';
  const changes = [
    differences.length > 0 && count(differences.length, 'verdict'),
    connections.length > 0 && count(connections.length, 'connections'),
  ];
  const said = changes.filter(Boolean).join(', ');
  if (said) print(`${paint('bold', names)}: ${said}${rest}`);
  else if (incomplete.length === 0) print(`${paint('bold', names)}: no difference, every request is judged alike`);
  return status;
}

function differenceText({ action, before, after, witness }: Difference, one: PolicyHere, other: PolicyHere): string {
  return [
    `${action.padEnd(11)} ${paintVerdict(before.effect)} → ${paintVerdict(after.effect)}  ${witnessText(witness)}`,
    paint('dim', `  before  ${authority(before, action, one)}`),
    paint('dim', `  after   ${authority(after, action, other)}`),
  ].join('\n');
}

/** Who says so: the rule and where it stands, or the default. */
function authority({ rule, source }: Decision, action: Difference['action'], { image }: PolicyHere): string {
  const speaking = rule ?? image.defaults[action].rule;
  if (source === 'default')
    return speaking === null ? 'no rule' : `no rule; the default at ${visible(image.rules[speaking]!.label)}`;
  const { label, pattern, reason } = image.rules[speaking!]!;
  return `${visible(label)} ${visibleShort(pattern, 60)}${reason ? `: ${visibleShort(reason, 60)}` : ''}`;
}

function differenceJson({ action, before, after, witness }: Difference, one: PolicyHere, other: PolicyHere): unknown {
  const side = ({ effect, source, rule, pierced }: Decision, here: PolicyHere): unknown => {
    const view = rule === null ? null : here.image.rules[rule]!;
    return {
      effect,
      source,
      rule: view && {
        label: view.label,
        place: placeOf(here, view) ?? null,
        pattern: view.pattern,
        reason: view.reason,
      },
      pierced: pierced === null ? null : here.image.rules[pierced]!.label,
    };
  };
  const writable = 'command' in witness ? { writable: witness.writable } : {};
  return { action, witness: witnessText(witness), ...writable, before: side(before, one), after: side(after, other) };
}

const count = (number: number, of: string): string => `${number} ${number === 1 ? 'change' : 'changes'} of ${of}`;
