import { type ConnectionTerms, NO_TERMS } from '../policy/connection-terms.ts';
import { ACTION, type ActionName, EFFECT, type EffectName } from '../wire/messages.ts';
import { Automaton } from './automaton.ts';
import { checkImage } from './check-image.ts';
import { ImageError } from './image-error.ts';
import { ImageReader } from './image-reader.ts';
import { readTerms } from './read-terms.ts';

export type RuleView = {
  action: ActionName;
  effect: EffectName;
  flags: number;
  /** Index of the file. */
  file: number;
  layer: number;
  line: number;
  reason: string;
  /** `user:my-agent.yaml:7` */
  label: string;
  /** The pattern as written; empty for the statement of a default. */
  pattern: string;
  timeoutMs: number;
  /** The methods that a rule with that flag speaks of. */
  methods: ReadonlySet<string>;
  /** Of a grant: when it ends, in seconds of CLOCK_BOOTTIME; 0 if never. */
  until: number;
  /** Of network rules: what they say of the connections that they allow. */
  terms: ConnectionTerms;
};

export type FileView = { name: string; layer: number; pierces: bigint };
export type HostView = {
  rule: number;
  kind: number;
  prefixLength: number;
  portLow: number;
  portHigh: number;
  host: string;
  address: Uint8Array;
};
export type RegionView = { path: Uint8Array; flags: number; zero: number };
export type DefaultView = { effect: EffectName; stated: boolean; log: boolean; rule: number | null };

/** A policy image that was checked once; looking things up in it cannot fail. Format: docs/policy-image.md. */
export class PolicyImage {
  /** Hex SHA-256 of the bytes, as the caller computed it; receipts carry it. */
  readonly digest: string;
  readonly rules: readonly RuleView[];
  readonly files: readonly FileView[];
  readonly defaults: Readonly<Record<ActionName, DefaultView>>;
  readonly hosts: readonly HostView[];
  readonly automata: Readonly<Record<ActionName, readonly Automaton[]>>;
  readonly accepts: Uint32Array;
  readonly floor: readonly { path: string; access: number }[];
  /** Hierarchies at and beneath which every path may be read without a receipt: sorted by bytes, none beneath another. */
  readonly region: readonly RegionView[];
  /** home, home real, workspace, workspace real, tmp, tmp real. */
  readonly roots: readonly string[];
  readonly launchers: ReadonlySet<string>;
  /** What the compiler noted for readers: name of the policy, files that took part with their digests. */
  readonly meta: unknown;
  /** CLOCK_BOOTTIME, by which grants end. */
  readonly bootSeconds: () => number;

  /**
   * Reads an image. @param digest hex SHA-256 of the bytes, computed by the caller
   * @param bootSeconds CLOCK_BOOTTIME; for a reader without a clock every grant that ends has ended
   * @throws ImageError when the bytes are not a valid image
   */
  static open(bytes: Uint8Array, digest: string, bootSeconds = () => Number.POSITIVE_INFINITY): PolicyImage {
    return new PolicyImage(bytes, digest, bootSeconds);
  }

  private constructor(bytes: Uint8Array, digest: string, bootSeconds: () => number) {
    this.bootSeconds = bootSeconds;
    const reader = new ImageReader(bytes);
    this.digest = digest;
    this.files = readFiles(reader);
    this.rules = readRules(reader, this.files);
    this.accepts = reader.words('accepts');
    const automata = readAutomata(reader);
    this.defaults = byAction((action) => readDefault(reader, action));
    this.automata = byAction((action) => {
      const view = reader.item('actions', action);
      const first = view.getUint32(8, true);
      const count = view.getUint32(12, true);
      if (first + count > automata.length) throw new ImageError('action whose automata do not exist');
      return automata.slice(first, first + count);
    });
    this.hosts = readHosts(reader);
    this.floor = reader.items('floor').map((view) => ({ path: reader.text(view, 0), access: view.getUint32(8, true) }));
    this.region = reader.items('region').map((view) => ({
      path: reader.textBytes(view, 0),
      flags: view.getUint32(8, true),
      zero: view.getUint32(12, true),
    }));
    this.roots = reader.items('roots').map((view) => reader.text(view, 0));
    this.launchers = new Set(reader.items('launchers').map((view) => reader.text(view, 0)));
    this.meta = reader.json('meta');
    checkImage(this);
  }
}

const ACTION_NAMES = Object.keys(ACTION) as ActionName[];
const EFFECT_NAMES = Object.keys(EFFECT) as EffectName[];

function byAction<T>(make: (action: number) => T): Record<ActionName, T> {
  return Object.fromEntries(ACTION_NAMES.map((name) => [name, make(ACTION[name])])) as Record<ActionName, T>;
}

function readFiles(reader: ImageReader): FileView[] {
  return reader.items('files').map((view) => ({
    name: reader.text(view, 0),
    layer: view.getUint8(8),
    pierces: view.getBigUint64(16, true),
  }));
}

function readRules(reader: ImageReader, files: readonly FileView[]): RuleView[] {
  const terms = readTerms(reader, reader.items('rules').length);
  return reader.items('rules').map((view, index) => {
    const action = ACTION_NAMES[view.getUint8(0)];
    const effect = EFFECT_NAMES[view.getUint8(1)];
    const file = view.getUint8(3);
    const layer = files[file]?.layer;
    if (!action || !effect || layer === undefined) throw new ImageError('malformed rule');
    return {
      action,
      effect,
      flags: view.getUint8(2),
      file,
      layer,
      line: view.getUint32(4, true),
      reason: reader.text(view, 8),
      label: reader.text(view, 16),
      pattern: reader.text(view, 24),
      timeoutMs: view.getUint32(32, true),
      methods: new Set(reader.text(view, 36).split(' ').filter(Boolean)),
      until: view.getUint32(44, true),
      terms: terms.get(index) ?? NO_TERMS,
    };
  });
}

function readDefault(reader: ImageReader, action: number): DefaultView {
  const view = reader.item('actions', action);
  const effect = EFFECT_NAMES[view.getUint8(0)];
  const rule = view.getUint32(4, true);
  if (!effect) throw new ImageError('malformed action');
  return {
    effect,
    stated: view.getUint8(1) === 1,
    log: view.getUint8(2) === 1,
    rule: rule === 0xffffffff ? null : rule,
  };
}

function readAutomata(reader: ImageReader): Automaton[] {
  const words = reader.words('words');
  const maps = reader.bytes('classMaps');
  return reader.items('automata').map((view) => {
    const [classes, start, length, first, map] = [4, 8, 12, 16, 20].map((at) => view.getUint32(at, true));
    if (first! + length! > words.length) throw new ImageError('automaton outside the words');
    if (map! + 256 > maps.length) throw new ImageError('class map outside its section');
    const own = words.subarray(first!, first! + length!);
    return new Automaton(view.getUint8(0), view.getUint8(1), classes!, start!, own, maps.subarray(map!, map! + 256));
  });
}

function readHosts(reader: ImageReader): HostView[] {
  return reader.items('hosts').map((view) => ({
    rule: view.getUint32(0, true),
    kind: view.getUint8(4),
    prefixLength: view.getUint8(5),
    portLow: view.getUint16(6, true),
    portHigh: view.getUint16(8, true),
    host: reader.text(view, 16),
    address: new Uint8Array(view.buffer, view.byteOffset + 24, 16),
  }));
}
