import { isSeq, type Node } from 'yaml';
import type { Placed } from '../policy/document.ts';
import { PolicyError } from '../policy/policy-error.ts';
import { quote, YamlReader } from '../policy/yaml-reader.ts';

/** How the log is kept, and who else holds its checkpoints: `<config>/audit.yaml`. */
export type AuditSettings = {
  /** While the log cannot be written: nothing is allowed any more, or runs go on and the loss is recorded afterwards. */
  onFailure: 'halt' | 'degrade';
  segmentBytes: number;
  segmentAgeMs: number;
  /** Of older files, and of what is beyond that size: both absent, everything is kept. */
  keepAgeMs?: number;
  keepBytes?: number;
  anchors: {
    /** The system journal: when it is there, never, or the daemon does not start without it. */
    journal: 'auto' | 'off' | 'required';
    /** Absolute paths, beside `<config>/audit.anchor`, which always is one. */
    files: string[];
    /** Programs with their arguments: `put` takes a note on its standard input, `get` prints notes. */
    commands: { put: string[]; get?: string[] }[];
    /** C2SP tlog-witness. `key`: the verifier key of its cosignatures. */
    witnesses: { url: string; key: string }[];
  };
};

export const defaultAuditSettings = (): AuditSettings => ({
  onFailure: 'halt',
  segmentBytes: 16 * 2 ** 20,
  segmentAgeMs: 86_400_000,
  anchors: { journal: 'auto', files: [], commands: [], witnesses: [] },
});

type Child = YamlReader['root'];

/**
 * Reads the settings; what is not said is as it is without them.
 * @param isCosigner whether a text is the verifier key of cosignatures (C2SP signed-note, tlog-cosignature), which takes hashing to say
 * @throws PolicyError with every problem found, if there is one
 */
export function parseAuditSettings(file: string, text: string, isCosigner: (key: string) => boolean): AuditSettings {
  const reader = new YamlReader(file, text);
  if (reader.problems.length === 0 && !reader.root) {
    reader.problem(null, 'the file is empty', 'settings of the audit log start with "version: 1"');
  }
  if (reader.problems.length > 0) throw new PolicyError(reader.problems);
  const settings = readSettings(reader, isCosigner);
  if (reader.problems.length > 0) throw new PolicyError(reader.problems);
  return settings;
}

function readSettings(reader: YamlReader, isCosigner: (key: string) => boolean): AuditSettings {
  const settings = defaultAuditSettings();
  const entries = reader.map(reader.root, 'the settings of the audit log', KEYS);
  const version = entries.get('version');
  if (version === undefined) reader.problem(reader.root, 'version is missing', 'add "version: 1"');
  else if (scalar(version.value) !== 1) reader.problem(version.value, 'version must be 1');
  settings.onFailure = choice(reader, entries.get('onFailure'), 'onFailure', ON_FAILURE) ?? settings.onFailure;
  const segments = part(reader, entries, 'segments', ['size', 'age']);
  settings.segmentBytes = amount(reader, segments.get('size'), 'size', SIZE) ?? settings.segmentBytes;
  settings.segmentAgeMs = amount(reader, segments.get('age'), 'age', AGE) ?? settings.segmentAgeMs;
  const keep = part(reader, entries, 'keep', ['age', 'size']);
  const keepAgeMs = amount(reader, keep.get('age'), 'age', AGE);
  const keepBytes = amount(reader, keep.get('size'), 'size', SIZE);
  if (keepAgeMs !== undefined) settings.keepAgeMs = keepAgeMs;
  if (keepBytes !== undefined) settings.keepBytes = keepBytes;
  const anchors = part(reader, entries, 'anchors', ANCHOR_KEYS);
  const { anchors: into } = settings;
  into.journal = choice(reader, anchors.get('journal'), 'journal', JOURNAL) ?? into.journal;
  into.files = distinct(reader, texts(reader, anchors.get('files'), 'files').filter(absolute(reader, 'files')));
  into.commands = items(reader, anchors.get('commands'), 'commands').flatMap((node) => readCommand(reader, node) ?? []);
  into.witnesses = items(reader, anchors.get('witnesses'), 'witnesses').flatMap(
    (node) => readWitness(reader, node, isCosigner) ?? [],
  );
  return settings;
}

function readCommand(reader: YamlReader, node: Child): AuditSettings['anchors']['commands'][number] | undefined {
  const entries = reader.map(node, 'a command of anchors', ['put', 'get']);
  const [put, get] = ['put', 'get'].map((name) => {
    const words = texts(reader, entries.get(name), name);
    return words[0] !== undefined && absolute(reader, name)(words[0]) ? words.map(({ text }) => text) : undefined;
  });
  if (put === undefined) {
    if (!entries.has('put')) reader.problem(node, 'put is missing', 'write put: [/path/of/program, argument]');
    else if (isSeq(entries.get('put')!.value) && texts(reader, entries.get('put'), 'put').length === 0)
      reader.problem(entries.get('put')!.value, 'put is empty', 'write put: [/path/of/program, argument]');
    return undefined;
  }
  return get === undefined ? { put } : { put, get };
}

function readWitness(
  reader: YamlReader,
  node: Child,
  isCosigner: (key: string) => boolean,
): AuditSettings['anchors']['witnesses'][number] | undefined {
  const entries = reader.map(node, 'a witness', ['url', 'key']);
  for (const name of ['url', 'key']) if (!entries.has(name)) reader.problem(node, `${name} is missing`);
  const [url, key] = ['url', 'key'].map((name) => {
    const entry = entries.get(name);
    return entry ? reader.string(entry.value, name) : null;
  });
  if (url && !WITNESS_URL.test(url.text)) {
    reader.problemAt(url, `${quote(url.text)} is not the address of a witness`, 'https, or http on this machine');
  }
  if (key && !isCosigner(key.text)) {
    reader.problemAt(
      key,
      `${quote(key.text)} is not the key of a witness`,
      'it has the form name+hash+key, of Ed25519 for cosignatures (type 4)',
    );
  }
  return url && key ? { url: url.text.replace(/\/+$/, ''), key: key.text } : undefined;
}

type Entry = { key: Node; value: Child } | undefined;

function part(reader: YamlReader, entries: ReadonlyMap<string, NonNullable<Entry>>, name: string, keys: string[]) {
  const entry = entries.get(name);
  return entry ? reader.map(entry.value, name, keys) : new Map<string, NonNullable<Entry>>();
}

function items(reader: YamlReader, entry: Entry, what: string): Child[] {
  const found = entry ? reader.list(entry.value, what) : [];
  if (found.length > MOST_ANCHORS) reader.problem(entry?.value, `${what} are at most ${MOST_ANCHORS}`);
  return found;
}

const texts = (reader: YamlReader, entry: Entry, what: string): Placed[] =>
  items(reader, entry, what).flatMap((node) => reader.string(node, what) ?? []);

const absolute =
  (reader: YamlReader, what: string) =>
  (path: Placed): boolean => {
    const good = /^\/[^\0]*[^/\0]$/.test(path.text) && !/(^|\/)\.{0,2}(\/|$)/.test(path.text.slice(1));
    if (!good) reader.problemAt(path, `${quote(path.text)} in ${what} is not an absolute path`, 'begin it with /');
    return good;
  };

function distinct(reader: YamlReader, found: readonly Placed[]): string[] {
  const seen = new Set<string>();
  for (const one of found) {
    if (seen.has(one.text)) reader.problemAt(one, `${quote(one.text)} is listed twice`);
    seen.add(one.text);
  }
  return [...seen];
}

function choice<Value extends string>(
  reader: YamlReader,
  entry: Entry,
  what: string,
  values: readonly Value[],
): Value | undefined {
  const text = entry ? reader.string(entry.value, what) : null;
  const value = values.find((one) => one === text?.text);
  if (text && value === undefined) {
    reader.problemAt(text, `unknown value ${quote(text.text)} for ${what}`, `values are ${values.join(', ')}`);
  }
  return value;
}

type Unit = { units: Readonly<Record<string, number>>; least: number; most: number; example: string };

function amount(reader: YamlReader, entry: Entry, what: string, { units, least, most, example }: Unit) {
  if (!entry) return undefined;
  const [, number, unit] = /^([1-9][0-9]{0,9})([A-Za-z]+)$/.exec(String(scalar(entry.value))) ?? [];
  const value = Number(number) * (units[unit ?? ''] ?? NaN);
  if (value >= least && value <= most) return value;
  reader.problem(entry.value, `${what} must be an amount with its unit`, `write for example ${example}`);
  return undefined;
}

const scalar = (node: Child): unknown => (node as { value?: unknown } | null | undefined)?.value;

const KEYS = ['version', 'onFailure', 'segments', 'keep', 'anchors'];
const ANCHOR_KEYS = ['journal', 'files', 'commands', 'witnesses'];
const ON_FAILURE = ['halt', 'degrade'] as const;
const JOURNAL = ['auto', 'off', 'required'] as const;
const SIZE: Unit = {
  units: { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 },
  least: 4 * 2 ** 10,
  most: 2 ** 50,
  example: '16MiB or 1GiB, from 4KiB',
};
const AGE: Unit = {
  units: { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 },
  least: 1000,
  most: 100 * 366 * 86_400_000,
  example: '90d, 12h or 30m',
};
const MOST_ANCHORS = 16;
/** Without a question mark, a fragment or a user's name. */
const WITNESS_URL =
  /^(?:https:\/\/[A-Za-z0-9.-]+|https:\/\/\[[0-9a-fA-F:]+\]|http:\/\/(?:localhost|127\.0\.0\.1|\[::1\]))(?::[0-9]{1,5})?(?:\/[A-Za-z0-9._~/-]*)?$/;
