/** Section ids of the policy image; docs/policy-image.md. */
export const SECTION = {
  strings: 1,
  files: 2,
  rules: 3,
  actions: 4,
  automata: 5,
  classMaps: 6,
  words: 7,
  accepts: 8,
  hosts: 9,
  floor: 10,
  roots: 11,
  launchers: 12,
  meta: 13,
  region: 14,
  terms: 15,
  injections: 16,
} as const;
export type SectionName = keyof typeof SECTION;

export const IMAGE_MAGIC = Uint8Array.of(0x47, 0x4b, 0x49, 0x4d, 0x41, 0x47, 0x45, 2);
export const HEADER_BYTES = 32;
export const SECTION_ENTRY_BYTES = 16;
export const NO_RULE = 0xffffffff;
/** Of hierarchies in the region; all of them have it or none. */
export const REGION_FILES = 1;
export const AUTOMATON_KIND = { path: 0, commandBase: 1, commandPath: 2, requestPath: 3 } as const;

/** Bytes of one item; 0 where the count of items has no meaning of its own. */
export const ITEM_BYTES: Readonly<Record<SectionName, number>> = {
  strings: 0,
  files: 32,
  rules: 48,
  actions: 16,
  automata: 24,
  classMaps: 256,
  words: 4,
  accepts: 4,
  hosts: 64,
  floor: 16,
  roots: 8,
  launchers: 8,
  meta: 0,
  region: 16,
  terms: 8,
  injections: 32,
};

export const MOST = {
  files: 64,
  rules: 65_535,
  automata: 64,
  region: 1024,
  injections: 1024,
  imageBytes: 256 * 1024 * 1024,
} as const;
