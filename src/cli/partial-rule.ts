import type { Host } from '../core/egress/host-name.ts';
import { matchEndpoint } from '../core/engine/decide.ts';
import type { PolicyImage } from '../core/engine/image.ts';
import { RULE_FLAG } from '../core/policy/rule-table.ts';

/** The rule that lets only some requests to a place through (methods, paths): one for the whole place would undo it. */
export function partialRule(image: PolicyImage, host: Host, port: number): string | undefined {
  const where = host.kind === 'name' ? { name: host.name } : { address: host.address };
  const index = matchEndpoint(image, { ...where, port }).find((rule) => {
    const { effect, flags } = image.rules[rule]!;
    return effect !== 'deny' && (flags & (RULE_FLAG.methods | RULE_FLAG.requestPaths)) !== 0;
  });
  return index === undefined ? undefined : image.rules[index]!.label;
}
