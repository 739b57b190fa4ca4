import { EFFECT } from '../wire/messages.ts';
import { ByteWriter } from './byte-writer.ts';
import { INSPECT, SNI, saysNothing, UNSAID } from './connection-terms.ts';
import type { EncodedAutomaton } from './encode-automaton.ts';
import type { FloorEntry } from './floor.ts';
import {
  HEADER_BYTES,
  IMAGE_MAGIC,
  NO_RULE,
  REGION_FILES,
  SECTION,
  SECTION_ENTRY_BYTES,
  type SectionName,
} from './image-layout.ts';
import type { RuleTable } from './rule-table.ts';

/** Everything that an image holds. */
export type ImageContent = {
  table: RuleTable;
  automata: readonly { action: number; kind: number; encoded: EncodedAutomaton }[];
  /** Words of the ACCEPTS section. */
  accepts: readonly number[];
  floor: readonly FloorEntry[];
  /** Sorted by bytes, none beneath another. */
  region: readonly Uint8Array[];
  /** Whether files of the region may be hinted, not its directories alone. */
  hintsFiles: boolean;
  roots: readonly Uint8Array[];
  launchers: readonly string[];
  /** JSON for readers. */
  meta: string;
};

/** Writes an image; the same content gives the same bytes. */
export function writeImage(content: ImageContent): Uint8Array {
  const strings = new Strings();
  const sections: Record<SectionName, Section> = {
    strings: EMPTY,
    files: writeFiles(content, strings),
    rules: writeRules(content, strings),
    actions: writeActions(content),
    ...writeAutomata(content),
    accepts: writeAccepts(content),
    hosts: writeHosts(content, strings),
    floor: writeFloor(content, strings),
    roots: writeTexts(content.roots, strings),
    launchers: writeTexts(content.launchers.map(encode), strings),
    meta: { bytes: encode(content.meta), count: 1 },
    region: writeRegion(content, strings),
    terms: writeTerms(content),
    injections: writeInjections(content, strings),
  };
  sections.strings = { bytes: strings.finish(), count: 1 };
  return assemble(sections);
}

type Section = { bytes: Uint8Array; count: number };

function assemble(sections: Record<SectionName, Section>): Uint8Array {
  const names = Object.keys(SECTION) as SectionName[];
  const directory = new ByteWriter();
  const body = new ByteWriter();
  const first = HEADER_BYTES + names.length * SECTION_ENTRY_BYTES;
  for (const name of names) {
    const { bytes, count } = sections[name];
    directory
      .u32(SECTION[name])
      .u32(first + body.length)
      .u32(bytes.length)
      .u32(count);
    body.bytes(bytes).zeros((8 - (bytes.length % 8)) % 8);
  }
  const image = new ByteWriter()
    .bytes(IMAGE_MAGIC)
    .u32(first + body.length)
    .u32(names.length)
    .zeros(16);
  return image.bytes(directory.finish()).bytes(body.finish()).finish();
}

function writeFiles({ table }: ImageContent, strings: Strings): Section {
  const out = new ByteWriter();
  for (const file of table.files) {
    let pierces = 0n;
    for (const index of file.pierces) pierces |= 1n << BigInt(index);
    strings.put(out, file.name);
    out.u8(file.layer).zeros(7).u64(pierces).u64(0n);
  }
  return { bytes: out.finish(), count: table.files.length };
}

function writeRules({ table }: ImageContent, strings: Strings): Section {
  const out = new ByteWriter();
  for (const rule of table.rules) {
    out.u8(rule.action).u8(EFFECT[rule.effect]).u8(rule.flags).u8(rule.file).u32(rule.line);
    for (const text of [rule.reason, rule.label, rule.pattern]) strings.put(out, text);
    out.u32(rule.timeoutMs);
    strings.put(out, rule.methods);
    out.u32(rule.until);
  }
  return { bytes: out.finish(), count: table.rules.length };
}

function writeActions({ table, automata }: ImageContent): Section {
  const out = new ByteWriter();
  table.defaults.forEach(({ effect, stated, log, rule }, action) => {
    const own = automata.filter((automaton) => automaton.action === action);
    const first = own.length > 0 ? automata.indexOf(own[0]!) : 0;
    out
      .u8(EFFECT[effect])
      .u8(stated ? 1 : 0)
      .u8(log ? 1 : 0)
      .u8(0);
    out
      .u32(rule ? table.rules.indexOf(rule) : NO_RULE)
      .u32(first)
      .u32(own.length);
  });
  return { bytes: out.finish(), count: table.defaults.length };
}

function writeAutomata({
  automata,
}: ImageContent): Pick<Record<SectionName, Section>, 'automata' | 'classMaps' | 'words'> {
  const records = new ByteWriter();
  const maps = new ByteWriter();
  const words = new ByteWriter();
  for (const { action, kind, encoded } of automata) {
    records.u8(action).u8(kind).u16(0).u32(encoded.classCount).u32(encoded.start).u32(encoded.words.length);
    records.u32(words.length / 4).u32(maps.length);
    maps.bytes(encoded.classMap);
    words.words(encoded.words);
  }
  return {
    automata: { bytes: records.finish(), count: automata.length },
    classMaps: { bytes: maps.finish(), count: automata.length },
    words: { bytes: words.finish(), count: words.length / 4 },
  };
}

function writeAccepts({ accepts }: ImageContent): Section {
  return { bytes: new ByteWriter().words(Int32Array.from(accepts)).finish(), count: accepts.length };
}

function writeHosts({ table }: ImageContent, strings: Strings): Section {
  const out = new ByteWriter();
  let count = 0;
  table.rules.forEach((rule, index) => {
    for (const host of rule.hosts) {
      out.u32(index).u8(host.kind).u8(host.prefixLength).u16(host.portLow).u16(host.portHigh).zeros(6);
      strings.put(out, host.host);
      out.bytes(host.address).zeros(24);
      count++;
    }
  });
  return { bytes: out.finish(), count };
}

function writeFloor({ floor }: ImageContent, strings: Strings): Section {
  const out = new ByteWriter();
  for (const { path, access } of floor) {
    strings.putBytes(out, path);
    out.u32(access).u32(0);
  }
  return { bytes: out.finish(), count: floor.length };
}

function writeRegion({ region, hintsFiles }: ImageContent, strings: Strings): Section {
  const out = new ByteWriter();
  for (const path of region) {
    strings.putBytes(out, path);
    out.u32(hintsFiles ? REGION_FILES : 0).u32(0);
  }
  return { bytes: out.finish(), count: region.length };
}

function writeTerms({ table }: ImageContent): Section {
  const out = new ByteWriter();
  let count = 0;
  table.rules.forEach(({ terms }, index) => {
    if (saysNothing(terms)) return;
    const inspect = terms.inspect === undefined ? UNSAID : terms.inspect ? INSPECT.yes : INSPECT.no;
    const sni = terms.sni === undefined ? UNSAID : SNI[terms.sni];
    out.u32(index).u8(inspect).u8(sni).u16(0);
    count++;
  });
  return { bytes: out.finish(), count };
}

function writeInjections({ table }: ImageContent, strings: Strings): Section {
  const out = new ByteWriter();
  let count = 0;
  table.rules.forEach(({ terms }, index) => {
    for (const { header, value, secret } of terms.injections) {
      out.u32(index).u32(0);
      for (const text of [header, value, secret]) strings.put(out, text);
      count++;
    }
  });
  return { bytes: out.finish(), count };
}

function writeTexts(texts: readonly Uint8Array[], strings: Strings): Section {
  const out = new ByteWriter();
  for (const text of texts) strings.putBytes(out, text);
  return { bytes: out.finish(), count: texts.length };
}

/** The STRINGS section: each text once. */
class Strings {
  readonly #bytes = new ByteWriter();
  readonly #known = new Map<string, number>();

  put(out: ByteWriter, text: string): void {
    this.putBytes(out, encode(text), text);
  }

  putBytes(out: ByteWriter, bytes: Uint8Array, text?: string): void {
    const key = text === undefined ? `b${bytes.join()}` : `t${text}`;
    let offset = this.#known.get(key);
    if (offset === undefined) {
      offset = this.#bytes.length;
      this.#bytes.bytes(bytes);
      this.#known.set(key, offset);
    }
    out.u32(offset).u32(bytes.length);
  }

  finish(): Uint8Array {
    return this.#bytes.finish();
  }
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

const EMPTY: Section = { bytes: new Uint8Array(0), count: 0 };
