import { LAYER } from '../policy/source.ts';
import type { PolicyImage } from './image.ts';

/** Grants are a person's answers to rules that ask. They stand in a layer of their own, allow, and may end. */
export const isGrant = (image: PolicyImage, rule: number): boolean => image.rules[rule]!.layer === LAYER.grants;

/** Whether this is a grant that has not ended. */
export function isStandingGrant(image: PolicyImage, rule: number): boolean {
  const { until } = image.rules[rule]!;
  return isGrant(image, rule) && (until === 0 || image.bootSeconds() < until);
}
