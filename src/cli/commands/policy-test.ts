import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, resolve } from 'node:path';
import { loadFor } from '../../adapters/policy-files/load-for.ts';
import { isPreset, presetPath } from '../../adapters/policy-files/presets.ts';
import { readPolicyFile } from '../../adapters/policy-files/read-file.ts';
import { type CaseFile, failuresOf, type PolicyCase, parseCases } from '../../core/analysis/cases.ts';
import type { PolicyImage } from '../../core/engine/image.ts';
import type { Decision } from '../../core/engine/precedence.ts';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { PolicyError } from '../../core/policy/policy-error.ts';
import { visible, visibleShort } from '../../core/text/visible.ts';
import { ownHome, workingDirectory } from '../home.ts';
import { policyReference } from '../policy-reference.ts';
import { paint, paintVerdict } from '../render/paint.ts';
import { print, printJson } from '../render/print.ts';

export type TestOptions = { policy?: string; failed?: boolean; json?: boolean };

type Result = { row: PolicyCase; decision: Decision; failures: string[] };
type Tested = { file: string; policy: string; image: PolicyImage; results: Result[] };

/** Holds policies against their cases. Exits 1 when one fails. */
export async function policyTest(files: readonly string[], options: TestOptions): Promise<number> {
  const given =
    files.length > 0 ? files.map((file) => resolve(workingDirectory(), file)) : [usualCases(options.policy)];
  const tested = given.map((file) => testFile(file, options.policy));
  const results = tested.flatMap((one) => one.results);
  const failed = results.filter(({ failures }) => failures.length > 0).length;
  if (options.json) printJson({ ok: failed === 0, cases: results.length, failed, files: tested.map(testedJson) });
  else {
    for (const one of tested) printTested(one, options.failed ?? false);
    const verdict = failed > 0 ? paint('red', `${failed} failed`) : paint('green', 'ok');
    print(`${verdict}  ${results.length} ${results.length === 1 ? 'case' : 'cases'}`);
  }
  return failed > 0 ? 1 : 0;
}

function testFile(file: string, policy: string | undefined): Tested {
  const cases = readCases(file);
  const named = policy === undefined ? policyOf(file, cases) : policyReference(policy);
  const { uid } = userInfo();
  const image = loadFor({ policy: named, uid, home: cases.home, workspace: cases.workspace });
  const results = cases.cases.map((row) => {
    const decision = row.decide(image);
    return { row, decision, failures: failuresOf(row, image, decision) };
  });
  return { file, policy: named, image, results };
}

function readCases(file: string): CaseFile {
  const text = readPolicyFile(file, { owner: userInfo().uid, followLinks: true });
  if (text === null)
    throw new GatekeeperError('GK_POLICY_CASES', { what: 'there is no such file of cases', where: file });
  try {
    return parseCases(file, text);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    const { file: at, line, column, text: what, remedy } = error.problems[0]!;
    throw new GatekeeperError('GK_POLICY_CASES', {
      what,
      where: `${at}:${line}:${column}`,
      ...(remedy ? { remedy } : {}),
      cause: error,
    });
  }
}

/** What the file names, or what stands beside it: NAME.cases.yaml goes with NAME.yaml. */
function policyOf(file: string, { policy }: CaseFile): string {
  if (policy) return isPreset(policy.text) ? policy.text : resolve(dirname(file), policy.text);
  const beside = file.replace(/\.cases\.ya?ml$/, '.yaml');
  if (beside !== file && existsSync(beside)) return beside;
  throw new GatekeeperError('GK_POLICY_CASES', {
    what: 'the cases name no policy',
    where: file,
    remedy: 'name it with --policy or a line "policy: FILE", or call the file NAME.cases.yaml beside NAME.yaml',
  });
}

/** Cases of the policy that would be in force: beside the user's own, or the preset's. */
function usualCases(policy: string | undefined): string {
  const { userPolicy } = ownHome();
  const own = policy === undefined ? userPolicy : policyReference(policy);
  if (isPreset(own)) return presetPath(own).replace(/\.yaml$/, '.cases.yaml');
  if (policy !== undefined || existsSync(userPolicy)) return own.replace(/(\.ya?ml)?$/, '.cases.yaml');
  return presetPath('default').replace(/\.yaml$/, '.cases.yaml');
}

function printTested({ file, results, image }: Tested, onlyFailed: boolean): void {
  for (const { row, decision, failures } of results) {
    if (failures.length === 0 && onlyFailed) continue;
    const mark = failures.length > 0 ? paint('red', 'fail') : paint('green', 'pass');
    const what = `${row.action} ${visibleShort(row.subject, 80)}`;
    print(`${mark}  ${what}  ${paintVerdict(decision.effect)}  ${paint('dim', authority(image, decision))}`);
    for (const failure of failures) print(`      ${visible(`${file}:${row.line}: ${failure}`)}`);
  }
}

function authority(image: PolicyImage, { rule, source }: Decision): string {
  const view = rule === null ? undefined : image.rules[rule];
  return view ? `${visible(view.label)} ${visibleShort(view.pattern, 60)}` : source;
}

function testedJson({ file, policy, image, results }: Tested): unknown {
  const cases = results.map(({ row, decision, failures }) => ({
    line: row.line,
    action: row.action,
    subject: row.subject,
    expected: row.expect,
    verdict: decision.effect,
    source: decision.source,
    rule: decision.rule === null ? null : image.rules[decision.rule]!.label,
    ok: failures.length === 0,
    failures,
  }));
  return { file, policy, cases };
}
