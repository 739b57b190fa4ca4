import type { Node } from 'yaml';
import { CACHE_TOOLS, CACHE_USES, type CacheTool, type CacheUse } from './cache-tools.ts';
import { type LaunchDocument, ON_TIGHTEN, type OnTighten, type Placed } from './document.ts';
import { ENV_KEYS, LIMIT_KEYS } from './format.ts';
import { quote, type YamlReader } from './yaml-reader.ts';

type Child = YamlReader['root'];
type Entries = ReadonlyMap<string, { key: Node; value: Child }>;

/** Reads `env`, `limits`, `caches` and `onTighten`. */
export function readLaunch(reader: YamlReader, entries: Entries): LaunchDocument {
  return {
    env: readEnv(reader, entries.get('env')?.value),
    limits: readLimits(reader, entries.get('limits')?.value),
    caches: readCaches(reader, entries.get('caches')?.value),
    onTighten: readOnTighten(reader, entries.get('onTighten')?.value),
  };
}

function readEnv(reader: YamlReader, node: Child): LaunchDocument['env'] {
  const entries = node ? reader.map(node, 'env', Object.keys(ENV_KEYS)) : new Map<string, { value: Child }>();
  const names = (key: string): Placed[] => {
    const entry = entries.get(key);
    if (!entry) return [];
    return reader.strings(entry.value, key).filter((name) => {
      if (VARIABLE_PATTERN.test(name.text)) return true;
      reader.problemAt(
        name,
        `${quote(name.text)} is not a pattern of variable names`,
        'write the name alone; * stands for any characters',
      );
      return false;
    });
  };
  return { drop: names('drop'), pass: names('pass') };
}

function readLimits(reader: YamlReader, node: Child): LaunchDocument['limits'] {
  const limits: LaunchDocument['limits'] = {};
  if (!node) return limits;
  const entries = reader.map(node, 'limits', Object.keys(LIMIT_KEYS));
  for (const [name, { read, least, most, unit, example }] of Object.entries(LIMITS)) {
    const entry = entries.get(name);
    if (!entry) continue;
    const value = read(entry.value);
    if (value !== undefined && value >= least && value <= most) {
      limits[name as keyof typeof LIMITS] = { value, line: reader.place(entry.value).line };
    } else reader.problem(entry.value, `${name} must be ${unit}`, `write for example ${example}`);
  }
  return limits;
}

function readCaches(reader: YamlReader, node: Child): LaunchDocument['caches'] {
  const caches: LaunchDocument['caches'] = new Map();
  if (!node) return caches;
  for (const [tool, { value }] of reader.map(node, 'caches', Object.keys(CACHE_TOOLS))) {
    const use = reader.string(value, `the cache of ${tool}`);
    if (!use) continue;
    if (Object.hasOwn(CACHE_USES, use.text)) {
      caches.set(tool as CacheTool, { use: use.text as CacheUse, line: use.line });
    } else
      reader.problemAt(
        use,
        `unknown value ${quote(use.text)} for a cache`,
        `values are ${Object.keys(CACHE_USES).join(', ')}`,
      );
  }
  return caches;
}

function readOnTighten(reader: YamlReader, node: Child): LaunchDocument['onTighten'] {
  const text = node ? reader.string(node, 'onTighten') : null;
  if (!text) return undefined;
  if (ON_TIGHTEN.includes(text.text as OnTighten)) return { value: text.text as OnTighten, line: text.line };
  reader.problemAt(text, `unknown value ${quote(text.text)} for onTighten`, `values are ${ON_TIGHTEN.join(', ')}`);
  return undefined;
}

const scalar = (node: Child): unknown => (node as { value?: unknown } | null | undefined)?.value;

function count(node: Child): number | undefined {
  const value = scalar(node);
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined;
}

const scaled =
  (units: Readonly<Record<string, number>>) =>
  (node: Child): number | undefined => {
    const match = /^([1-9][0-9]{0,6})([A-Za-z]+)$/.exec(String(scalar(node)));
    const unit = match ? units[match[2]!] : undefined;
    return unit === undefined ? undefined : Number(match![1]) * unit;
  };

/** Least: what a shell and a program need to start. Most: what the kernel's types hold. */
const LIMITS = {
  processes: { read: count, least: 1, most: 4_194_304, unit: 'a number of processes, from 1', example: '512' },
  memory: {
    read: scaled({ MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 }),
    least: 16 * 2 ** 20,
    most: 2 ** 52,
    unit: 'an amount with its unit, from 16MiB',
    example: '512MiB or 4GiB',
  },
  cpuTime: {
    read: scaled({ s: 1, m: 60, h: 3600 }),
    least: 1,
    most: 366 * 86_400,
    unit: 'a duration of whole seconds',
    example: '90s, 30m or 2h',
  },
  openFiles: { read: count, least: 16, most: 1_073_741_816, unit: 'a number of open files, from 16', example: '4096' },
} as const;

const VARIABLE_PATTERN = /^[A-Za-z0-9_.*:/-]{1,256}$/;
