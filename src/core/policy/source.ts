/** Where a policy file stands; the number is its layer in the image. What stands in `grants` answers rules that ask, and does nothing else. */
export const LAYER = {
  protection: 0,
  guards: 1,
  system: 2,
  user: 3,
  project: 4,
  'command-line': 5,
  grants: 6,
} as const;
export type PolicyLayer = keyof typeof LAYER;

/** A policy file as it was read. */
export type PolicySource = {
  /** What receipts call it: `user:policy.yaml`, `preset:default.yaml`, `project:.gatekeeper.yaml`. One file has one name. */
  name: string;
  layer: PolicyLayer;
  text: string;
  /** Hex SHA-256 of the text, for readers of the image; the compiler does not compute it. */
  digest?: string;
  /** It comes with gatekeeper, and changes with it alone. */
  shipped?: boolean;
  /** What error messages call it; the name if absent. */
  path?: string;
  /** Of a project's file: the user has read exactly this text and stands by it. */
  trusted?: boolean;
};

/** What came with a project can make a policy stricter and nothing else, unless the user trusts it. */
export const tightensOnly = ({ layer, trusted }: PolicySource): boolean => layer === 'project' && trusted !== true;

/** Directories in lexical form (as the user wrote or was given it) and real form (symbolic links resolved): absolute, no trailing slash. */
export type RootForms = { lexical: Uint8Array; real: Uint8Array };

/** What patterns may refer to. Values are compared byte for byte and never parsed as patterns. */
export type PolicyRoots = {
  home: RootForms;
  workspace: RootForms;
  tmp: RootForms;
  /** More directories or files that a built-in file may name as `${name}` at the start of a path, each in all its forms. */
  places?: Readonly<Record<string, readonly Uint8Array[]>>;
};

/**
 * Finds what `extends` names: a preset by bare name (`default`), or a file by a path relative to the file that names it.
 * Returns null when there is no such policy. The result's layer is ignored: a parent stands in the layer of the file that extends it.
 */
export type ResolveExtends = (reference: string, from: PolicySource) => PolicySource | null;
