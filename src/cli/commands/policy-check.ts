import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { describeProblem, PolicyError, type PolicyProblem } from '../../core/policy/policy-error.ts';
import { visible } from '../../core/text/visible.ts';
import { policyHere } from '../policy-here.ts';
import { paint } from '../render/paint.ts';
import { print, printJson } from '../render/print.ts';

/** Compiles a policy file, or the layers in force here, and prints every error with line and column. Exits 1 when there is one. */
export async function policyCheck(file: string | undefined, { json = false }: { json?: boolean }): Promise<number> {
  try {
    const { name, image, warnings } = policyHere(file === undefined ? {} : { policy: file });
    if (json)
      printJson({
        ok: true,
        name,
        digest: `sha256:${image.digest}`,
        rules: image.rules.length,
        warnings,
        problems: [],
      });
    else {
      for (const warning of warnings) print(`${paint('yellow', 'warning')}: ${visible(warning)}`);
      print(`${paint('green', 'ok')}  ${visible(name)}: ${image.rules.length} rules in ${image.files.length} files`);
    }
    return 0;
  } catch (error) {
    if (!(error instanceof GatekeeperError) || error.code !== 'GK_POLICY_INVALID') throw error;
    const problems = problemsOf(error);
    if (json) printJson({ ok: false, problems });
    else for (const problem of problems) print(visible(describeProblem(problem)));
    return 1;
  }
}

/** A file that cannot be read at all has no lines to name. */
function problemsOf({ cause, what, where, remedy }: GatekeeperError): readonly PolicyProblem[] {
  if (cause instanceof PolicyError) return [...cause.problems].sort((a, b) => a.line - b.line || a.column - b.column);
  return [{ file: where, line: 0, column: 0, text: what, remedy }];
}
