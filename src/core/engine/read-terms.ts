import {
  type ConnectionTerms,
  headerProblem,
  INSPECT,
  type Injection,
  isInjectedValue,
  isVariableName,
  MOST_INJECTIONS_OF_A_RULE,
  SNI,
  type SniTerm,
  saysNothing,
  UNSAID,
} from '../policy/connection-terms.ts';
import { MOST } from '../policy/image-layout.ts';
import { ImageError } from './image-error.ts';
import type { ImageReader } from './image-reader.ts';

/** TERMS and INJECTIONS by rule. That these rules may have some is checked with the image. @throws ImageError */
export function readTerms(reader: ImageReader, rules: number): Map<number, ConnectionTerms> {
  const injections = readInjections(reader);
  const terms = new Map<number, ConnectionTerms>();
  let last = -1;
  for (const view of reader.items('terms')) {
    const rule = view.getUint32(0, true);
    if (rule <= last) throw new ImageError('terms are not sorted');
    if (rule >= rules) throw new ImageError('terms of a rule that does not exist');
    last = rule;
    const own = {
      inspect: inspectOf(view.getUint8(4)),
      sni: sniOf(view.getUint8(5)),
      injections: injections.get(rule) ?? [],
    };
    if (view.getUint16(6, true) !== 0 || saysNothing(own)) throw new ImageError('malformed terms');
    if (own.injections.length > 0 && own.inspect !== true) throw new ImageError('injection without inspection');
    injections.delete(rule);
    terms.set(rule, own);
  }
  if (injections.size > 0) throw new ImageError('injection without inspection');
  return terms;
}

function readInjections(reader: ImageReader): Map<number, Injection[]> {
  const items = reader.items('injections');
  if (items.length > MOST.injections) throw new ImageError('too many injections');
  const byRule = new Map<number, Injection[]>();
  let last = 0;
  for (const view of items) {
    const [rule, source] = [view.getUint32(0, true), view.getUint32(4, true)];
    if (rule < last || source !== FROM_ENVIRONMENT) throw new ImageError('malformed injection');
    last = rule;
    const [header, value, secret] = [8, 16, 24].map((at) => reader.text(view, at)) as [string, string, string];
    const own = byRule.get(rule) ?? [];
    if (headerProblem(header) || !isInjectedValue(value) || !isVariableName(secret))
      throw new ImageError('malformed injection');
    if (own.length === MOST_INJECTIONS_OF_A_RULE || own.some((other) => other.header === header))
      throw new ImageError('malformed injection');
    byRule.set(rule, [...own, { header, value, secret }]);
  }
  return byRule;
}

function inspectOf(number: number): boolean | undefined {
  if (number === UNSAID) return undefined;
  if (number !== INSPECT.yes && number !== INSPECT.no) throw new ImageError('malformed terms');
  return number === INSPECT.yes;
}

function sniOf(number: number): SniTerm | undefined {
  if (number === UNSAID) return undefined;
  const found = (Object.keys(SNI) as SniTerm[]).find((name) => SNI[name] === number);
  if (!found) throw new ImageError('malformed terms');
  return found;
}

/** Where a secret comes from: the only place so far. */
const FROM_ENVIRONMENT = 0;
