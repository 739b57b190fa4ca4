import { decideHost } from '../engine/decide.ts';
import type { PolicyImage } from '../engine/image.ts';
import { parsePathPattern } from '../policy/path-pattern.ts';
import { RULE_FLAG } from '../policy/rule-table.ts';
import { placesOf } from '../policy/scope.ts';
import type { PolicyRoots } from '../policy/source.ts';
import { MOST_NODES } from './differences.ts';
import { pathGrammar } from './grammar.ts';
import { KNOWN_SECRETS, UPLOAD_HOSTS } from './known-secrets.ts';
import type { Finding } from './lint.ts';
import { automataOf, pathReader } from './verdicts.ts';
import { NO_MARK, Walk } from './walk.ts';

/** What may be read of the files that are known to hold secrets, by the rule that opens them. */
export function coveredSecrets(image: PolicyImage, roots: PolicyRoots): Finding[] {
  const scope = { places: placesOf(roots), texts: new Map<string, string>() };
  const patterns = KNOWN_SECRETS.flatMap(({ paths }, rule) =>
    paths.flatMap((path) => parsePathPattern(path, scope, () => {}).map((tokens) => ({ tokens, rule }))),
  );
  const secrets = automataOf(patterns);
  const reader = pathReader(image, 'file_read');
  const first = reader.tracks.length;
  const tracks = [...reader.tracks, ...secrets.automata.map((automaton) => ({ automaton, lane: 0 }))];
  const walk = new Walk(tracks, pathGrammar(), NO_MARK, MOST_NODES);
  const found = new Map<number | null, Map<number, Uint8Array>>();
  walk.run(({ node, accepts }) => {
    const kinds = secrets.automata.flatMap((_, index) => secrets.rules(index, accepts[first + index]!));
    if (kinds.length === 0) return undefined;
    const { effect, rule } = reader.read(accepts, 0, 0);
    if (effect !== 'allow' || isWeighed(image, rule)) return undefined;
    const known = found.get(rule) ?? new Map<number, Uint8Array>();
    found.set(rule, known);
    for (const kind of kinds) if (!known.has(kind)) known.set(kind, walk.text(node, 0));
    return undefined;
  });
  return [...found].map(([rule, kinds]) => {
    // In the order of the table, which begins with what is worth most.
    const ordered = [...kinds.keys()].sort((a, b) => a - b);
    const names = new Set(ordered.map((kind) => KNOWN_SECRETS[kind]!.what));
    const text = `${rule === null ? 'nothing refuses, and the default allows to read,' : 'lets be read:'} ${listed([...names])}`;
    const subject = kinds.get(ordered[0]!)!;
    return { kind: 'covers-secret', severity: 'warning', action: 'file_read', rule, other: null, text, subject };
  });
}

/** What the preset that stands in for a policy opens on purpose, in trees that are no place for secrets. */
function isWeighed({ rules, files }: PolicyImage, rule: number | null): boolean {
  const view = rule === null ? undefined : rules[rule];
  return (
    view !== undefined && (view.flags & RULE_FLAG.override) !== 0 && files[view.file]!.name === 'preset:default.yaml'
  );
}

function listed(kinds: readonly string[]): string {
  const more = kinds.length > 4 ? ` and ${kinds.length - 4} more kinds of secrets` : '';
  return `${kinds.slice(0, 4).join(', ')}${more}`;
}

/** Allowed hosts that keep what is sent to them. */
export function uploadHosts(image: PolicyImage): Finding[] {
  const found = new Map<number | null, { hosts: string[]; what: string }>();
  for (const { host, what } of UPLOAD_HOSTS) {
    const { effect, rule } = decideHost(image, { name: host, port: 443 });
    if (effect !== 'allow') continue;
    const known = found.get(rule);
    if (known) known.hosts.push(host);
    else found.set(rule, { hosts: [host], what });
  }
  return [...found].map(([rule, { hosts, what }]) => {
    const [host = '', ...more] = hosts;
    const text =
      more.length > 0
        ? `${host} and ${more.length} more can be reached, which take uploads: a way out for data`
        : `${host} takes ${what}: a way out for data`;
    return {
      kind: 'accepts-uploads',
      severity: 'note',
      action: 'network',
      rule,
      other: null,
      text,
      subject: new TextEncoder().encode(`${host}:443`),
    };
  });
}
