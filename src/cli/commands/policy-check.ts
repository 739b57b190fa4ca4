import { missingPlace } from '../../adapters/policy-files/missing-places.ts';
import { type Finding, lintImage } from '../../core/analysis/lint.ts';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { describeProblem, PolicyError, type PolicyProblem } from '../../core/policy/policy-error.ts';
import { tabulateRules } from '../../core/policy/rules.ts';
import { LAYER } from '../../core/policy/source.ts';
import { visible, visibleShort } from '../../core/text/visible.ts';
import { type PolicyHere, placeOf, policyHere } from '../policy-here.ts';
import { hintsLine } from '../render/hints-text.ts';
import { paint } from '../render/paint.ts';
import { print, printJson } from '../render/print.ts';
import { subjectText } from '../render/subject.ts';

export type CheckOptions = { json?: boolean; lint?: boolean; strict?: boolean };

/**
 * Compiles a policy file, or the layers in force here, and prints every error with line and column, then what is valid and likely not meant.
 * Exits 1 when there is an error, or with `strict` a warning.
 */
export async function policyCheck(file: string | undefined, options: CheckOptions): Promise<number> {
  try {
    const here = policyHere(file === undefined ? {} : { policy: file });
    const findings = options.lint === false ? [] : findingsOf(here, file !== undefined);
    const warned = here.warnings.length > 0 || findings.some(({ severity }) => severity === 'warning');
    if (options.json) printJson(checkJson(here, findings));
    else printCheck(here, findings);
    return options.strict && warned ? 1 : 0;
  } catch (error) {
    if (!(error instanceof GatekeeperError) || error.code !== 'GK_POLICY_INVALID') throw error;
    const problems = problemsOf(error);
    if (options.json) printJson({ ok: false, problems });
    else for (const problem of problems) print(`${paint('red', 'error')}: ${visible(describeProblem(problem))}`);
    return 1;
  }
}

type Place = { place: string | null; label: string; pattern: string };
type Shown = Omit<Finding, 'rule' | 'other' | 'subject' | 'kind'> & {
  kind: Finding['kind'] | 'matches-nothing-here';
  rule: Place | null;
  other: Place | null;
  subject: string | null;
};

/** Presets are looked into only when one was asked for by name. */
function findingsOf(here: PolicyHere, named: boolean): Shown[] {
  const { image, layers, roots } = here;
  const first = layers.findIndex(({ source }) => source.layer === 'user');
  const files = layers.flatMap(({ source }, index) => {
    const own =
      LAYER[source.layer] >= LAYER.system && source.layer !== 'command-line' && !source.name.startsWith('preset:');
    return own || (named && index === first) ? [index] : [];
  });
  const table = tabulateRules([...layers], roots, []);
  const findings = lintImage(image, table, roots, new Set(files)).map((finding) => shown(here, finding));
  table.rules.forEach((rule, index) => {
    // What ships is written for many machines.
    const local = files.includes(rule.file) && !layers[rule.file]!.source.name.startsWith('preset:');
    const place = local && rule.pattern !== '' ? missingPlace(rule) : null;
    if (place === null) return;
    const { action } = image.rules[index]!;
    const text = `matches nothing on this machine: there is no ${place}`;
    const base = { severity: 'note', action, other: null, text, subject: null } as const;
    findings.push({ ...base, kind: 'matches-nothing-here', rule: placeText(here, index) });
  });
  return once(findings);
}

function shown(here: PolicyHere, { rule, other, subject, ...finding }: Finding): Shown {
  return {
    ...finding,
    rule: rule === null ? null : placeText(here, rule),
    other: other === null ? null : placeText(here, other),
    subject: subject && subjectText(subject),
  };
}

function placeText(here: PolicyHere, rule: number): Place {
  const { label, pattern, file, line } = here.image.rules[rule]!;
  return { place: placeOf(here, { file, line }) ?? null, label, pattern };
}

/** A rule for several actions is said of once. */
function once(findings: readonly Shown[]): Shown[] {
  const seen = new Set<string>();
  return findings.filter(({ kind, rule, other, text }) => {
    const key = [kind, rule?.label, rule?.pattern, other?.label, other?.pattern, text].join('\0');
    return seen.has(key) ? false : seen.add(key);
  });
}

function checkJson({ name, image, hints, warnings }: PolicyHere, findings: readonly Shown[]): unknown {
  const digest = `sha256:${image.digest}`;
  return { ok: true, name, digest, rules: image.rules.length, hints, warnings, findings, problems: [] };
}

function printCheck({ name, image, hints, warnings }: PolicyHere, findings: readonly Shown[]): void {
  for (const warning of warnings) print(`${paint('yellow', 'warning')}: ${visible(warning)}`);
  const ordered = [...findings].sort((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
  for (const finding of ordered) print(findingText(finding));
  const notes = findings.filter(({ severity }) => severity === 'note').length;
  const warned = warnings.length + findings.length - notes;
  const more = [warned > 0 && plural(warned, 'warning'), notes > 0 && plural(notes, 'note')].filter(Boolean).join(', ');
  const rules = `${image.rules.length} rules in ${image.files.length} files`;
  print(`${paint('green', 'ok')}  ${visible(name)}: ${rules}${more ? `; ${more}` : ''}`);
  print(paint('dim', `    ${hintsLine(hints)}`));
}

function findingText({ severity, action, rule, other, text, subject }: Shown): string {
  const colour = severity === 'warning' ? 'yellow' : 'cyan';
  const where = rule ? `${visible(rule.place ?? rule.label)}: ${visibleShort(rule.pattern, 70)} ` : '';
  const against = other && `${visible(other.label)} ${visibleShort(other.pattern, 50)}`;
  const example = [subject && `as for ${visibleShort(subject, 100)}`, against && `see ${against}`]
    .filter(Boolean)
    .join('; ');
  const detail = example ? paint('dim', `  (${example})`) : '';
  return `${paint(colour, severity)}: ${where}${paint('dim', `[${action}]`)} ${visible(text)}${detail}`;
}

/** A file that cannot be read at all has no lines to name. */
function problemsOf({ cause, what, where, remedy }: GatekeeperError): readonly PolicyProblem[] {
  if (cause instanceof PolicyError) return [...cause.problems].sort((a, b) => a.line - b.line || a.column - b.column);
  return [{ file: where, line: 0, column: 0, text: what, remedy }];
}

const plural = (number: number, word: string): string => `${number} ${word}${number === 1 ? '' : 's'}`;
const ORDER: readonly string[] = ['warning', 'note'];
