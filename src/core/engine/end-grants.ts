import { LAYER } from '../policy/source.ts';
import { ImageReader } from './image-reader.ts';

/**
 * The image in which every grant but those named has ended; undefined when that is so already.
 * @param names what follows `grants:` in labels
 */
export function endGrants(image: Uint8Array, names: ReadonlySet<string>): Uint8Array | undefined {
  const bytes = new Uint8Array(image);
  const reader = new ImageReader(bytes);
  const layers = reader.items('files').map((view) => view.getUint8(8));
  let changed = false;
  for (const rule of reader.items('rules')) {
    if (layers[rule.getUint8(3)] !== LAYER.grants || rule.getUint32(UNTIL, true) === ENDED) continue;
    if (names.has(reader.text(rule, LABEL).replace(/^grants:/, ''))) continue;
    rule.setUint32(UNTIL, ENDED, true);
    changed = true;
  }
  return changed ? bytes : undefined;
}

/** Offsets in a rule: docs/policy-image.md. */
const LABEL = 16;
const UNTIL = 44;
/** One second after the machine started, before anything could have been granted. */
const ENDED = 1;
