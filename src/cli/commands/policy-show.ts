import type { PolicyImage, RuleView } from '../../core/engine/image.ts';
import { saysNothing } from '../../core/policy/connection-terms.ts';
import { LAYER } from '../../core/policy/source.ts';
import { visible, visibleShort } from '../../core/text/visible.ts';
import { policyHere } from '../policy-here.ts';
import { hintsLine } from '../render/hints-text.ts';
import { launchLines } from '../render/launch-text.ts';
import { paint, paintVerdict } from '../render/paint.ts';
import { print, printJson } from '../render/print.ts';
import { termsText } from '../render/terms-text.ts';
import { policyPresets } from './policy-presets.ts';

export type ShowOptions = { policy?: string; presets?: boolean; json?: boolean };

/** Shows the layers in force in this directory and their rules, in the order of the image; or which presets there are. */
export async function policyShow(options: ShowOptions): Promise<number> {
  if (options.presets) return policyPresets(options.json ?? false);
  const { image, name, warnings, launch, hints } = policyHere(options);
  if (options.json) {
    const files = image.files.map((file) => ({ name: file.name, layer: layerName(file.layer) }));
    const rules = image.rules.map((rule) => ({ ...rule, methods: [...rule.methods], layer: layerName(rule.layer) }));
    const defaults = defaultsOf(image);
    const region = image.region.map(({ path }) => new TextDecoder().decode(path));
    printJson({ name, digest: `sha256:${image.digest}`, files, defaults, launch, hints, region, rules, warnings });
    return 0;
  }
  print(`${paint('bold', visible(name))}  sha256:${image.digest}`);
  for (const [action, effect] of Object.entries(defaultsOf(image)))
    print(`  ${action.padEnd(11)} without a rule: ${paintVerdict(effect)}`);
  for (const line of launchLines(launch, Object.keys(process.env))) print(`  ${line}`);
  print(`  ${hintsLine(hints)}`);
  image.files.forEach((file, index) => {
    const rules = image.rules.filter((rule) => rule.file === index && rule.pattern !== '');
    if (rules.length === 0) return;
    print(`\n${paint('bold', layerName(file.layer))}  ${visible(file.name)}`);
    for (const rule of rules) print(ruleLine(rule));
  });
  for (const warning of warnings) print(`\nwarning: ${visible(warning)}`);
  return 0;
}

function ruleLine({ line, action, effect, flags, pattern, reason, terms }: RuleView): string {
  const override = (flags & 1) !== 0 ? ' override' : '';
  const connection = saysNothing(terms) ? '' : `  [${termsText(terms)}]`;
  const why = reason ? paint('dim', `  ${visibleShort(reason)}`) : '';
  return `  ${String(line).padStart(4)}  ${action.padEnd(11)} ${paintVerdict(effect)}${override}  ${visibleShort(pattern)}${connection}${why}`;
}

const defaultsOf = (image: PolicyImage): Record<string, string> =>
  Object.fromEntries(Object.entries(image.defaults).map(([action, { effect }]) => [action, effect]));

const layerName = (layer: number): string =>
  Object.entries(LAYER).find(([, number]) => number === layer)?.[0] ?? String(layer);
