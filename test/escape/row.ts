/**
 * One technique of attack: what it does, what it must give outside (so that the row can fail) and what it gives inside.
 * Placeholders: {secret} {secretDir} {ok} {guarded} {project} {victim} {port} {shared} {socket} {services} {abstract} {terminal} {gatekeeper} {probe} {nolibc} {library} {addon} {scripts}, and {rounds}
 * for the length of a race.
 */
export type EscapeRow = {
  /** Ways out of the catalogue that the row tries. */
  covers: readonly string[];
  /** A sentence's worth: what is tried. */
  title: string;
  /** Outside the probe must succeed ('works'), or the reason why this machine refuses it anyway. */
  outside: 'works' | { refusedHere: string };
  /** Name of the errno that the probe reports inside, or the ways that are all acceptable. */
  inside: string | readonly string[];
  /** The part that stops it. */
  layer: Layer;
  /** The receipt that the attempt leaves; absent where the filter or Landlock answers and nothing is recorded. */
  receipt?: { action: string; target?: string; destination?: string; source?: string };
  /** Only for root or only for ordinary users. */
  user?: 'root' | 'ordinary';
  /** Prepares the fixture before the probe starts, outside: shell text with the same placeholders. */
  before?: string;
  /** Preset or text of the policy inside; otherwise the default preset. */
  policy?: string;
  /** Further options of `gatekeeper run`. */
  options?: readonly string[];
  /** Shell text, outside, after the probe inside ended: must exit 0 when nothing leaked or changed. */
  unharmed?: string;
} & Attack;

/** A function of the C probe, or a program of the machine that ends with 0 when it worked and else prints the errno's name or text last. */
export type Attack = { technique: string; args: readonly string[] } | { command: readonly string[] };

export type Layer = 'filter' | 'supervisor' | 'landlock' | 'policy';
