import type { Node } from 'yaml';
import type { EffectName } from '../wire/messages.ts';
import {
  type ConnectionTerms,
  headerProblem,
  type Injection,
  isInjectedValue,
  isVariableName,
  MOST_INJECTIONS_OF_A_RULE,
  NO_TERMS,
  SNI,
  type SniTerm,
} from './connection-terms.ts';
import { INJECTION_KEYS } from './format.ts';
import { quote, type YamlReader } from './yaml-reader.ts';

type Child = YamlReader['root'];
type Entries = ReadonlyMap<string, { key: Node; value: Child }>;

/** What a network rule says of the connections that it allows: inspect, sni, inject. */
export function readTerms(reader: YamlReader, entries: Entries, effect: EffectName | null): ConnectionTerms {
  const [inspect, sni, inject] = [entries.get('inspect'), entries.get('sni'), entries.get('inject')];
  for (const [name, entry] of Object.entries({ inspect, sni, inject })) {
    if (entry && effect && effect !== 'allow' && effect !== 'ask')
      reader.problem(entry.key, `${name} belongs to rules that allow or ask`, 'what is refused has no connection');
  }
  if (!inspect && !sni && !inject) return NO_TERMS;
  const inspected = inspect && reader.boolean(inspect.value, 'inspect');
  if (inject && inspected !== true)
    reader.problem(inject.key, 'inject needs inspect: true', 'requests are changed only where they are looked into');
  return {
    inspect: inspected,
    sni: sni && readSni(reader, sni.value),
    injections: inject ? readInjections(reader, inject.value) : [],
  };
}

function readSni(reader: YamlReader, node: Child): SniTerm | undefined {
  const text = reader.string(node, 'sni');
  if (!text) return undefined;
  if (Object.hasOwn(SNI, text.text)) return text.text as SniTerm;
  reader.problemAt(text, `unknown value ${quote(text.text)} for sni`, `values are ${Object.keys(SNI).join(', ')}`);
  return undefined;
}

function readInjections(reader: YamlReader, node: Child): Injection[] {
  const items = reader.list(node, 'inject');
  if (items.length > MOST_INJECTIONS_OF_A_RULE)
    reader.problem(node, `inject has more than ${MOST_INJECTIONS_OF_A_RULE} headers`);
  const injections: Injection[] = [];
  for (const item of items) {
    const injection = readInjection(reader, item);
    if (!injection) continue;
    if (injections.some(({ header }) => header === injection.header))
      reader.problem(item, `header ${injection.header} is injected twice`);
    injections.push(injection);
  }
  return injections;
}

function readInjection(reader: YamlReader, node: Child): Injection | null {
  const known = Object.keys(INJECTION_KEYS);
  const entries = reader.map(node, 'an item of inject', known);
  const missing = known.filter((key) => !entries.has(key));
  if (entries.size > 0 && missing.length > 0)
    reader.problem(node, `${missing.join(' and ')} of inject missing`, `an item has ${known.join(', ')}`);
  const text = (key: string) => (entries.has(key) ? reader.string(entries.get(key)!.value, key) : null);
  const [header, value, secret] = [text('header'), text('value'), text('secret')];
  const problem = header && headerProblem(header.text);
  if (header && problem) reader.problemAt(header, `header ${quote(header.text)} ${problem.text}`, problem.remedy);
  if (value && !isInjectedValue(value.text)) {
    const remedy = 'write printable ASCII with {secret} once, as "Bearer {secret}"; never the secret itself';
    reader.problemAt(value, 'value has no one place for the secret, or is not printable', remedy);
  }
  const name = secret?.text.startsWith('env:') ? secret.text.slice(4) : '';
  if (secret && !isVariableName(name)) {
    const remedy = 'write env: and the name of a variable, as env:EXAMPLE_TOKEN; never the secret itself';
    reader.problemAt(secret, 'secret names no variable', remedy);
  }
  return header && value && secret ? { header: header.text, value: value.text, secret: name } : null;
}
