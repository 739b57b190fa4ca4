import { basename, resolve } from 'node:path';
import { readForeignRules } from '../../adapters/policy-files/read-rules.ts';
import { writePolicy } from '../../adapters/policy-files/write-policy.ts';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { importClaudeCode } from '../../core/import/claude-code.ts';
import { type Imported, importedText } from '../../core/import/imported.ts';
import { importNative } from '../../core/import/native.ts';
import { importSandboxRuntime } from '../../core/import/sandbox-runtime.ts';
import { parsePolicy } from '../../core/policy/parse.ts';
import { visible } from '../../core/text/visible.ts';
import { workingDirectory } from '../home.ts';
import { print, printJson } from '../render/print.ts';
import { tellUser } from '../render/tell-user.ts';

export type ImportOptions = { from: string; output?: string; force?: boolean; json?: boolean };

/** Translates rules of another program, prints or writes the policy, and lists on standard error what cannot be said. */
export async function policyImport(
  file: string,
  { from, output, force = false, json = false }: ImportOptions,
): Promise<number> {
  const path = resolve(workingDirectory(), file);
  const value = readForeignRules(path);
  const format = from === 'auto' ? formatOf(value, path) : from;
  const imported = READERS[format as keyof typeof READERS](value);
  const name =
    basename(path)
      .replace(/\.(json|ya?ml)$/, '')
      .replace(/^\./, '') || 'imported';
  const text = importedText(imported, name, `${path} (${format})`);
  parsePolicy({ name: 'imported', layer: 'user', text });
  if (output !== undefined) writePolicy(resolve(workingDirectory(), output), text, { replace: force });
  if (json)
    printJson({
      format,
      policy: text,
      rules: countRules(imported),
      notImported: imported.left,
      output: output ?? null,
    });
  else if (output === undefined) print(text.trimEnd());
  if (!json) tellLeft(imported, output);
  return 0;
}

function tellLeft(imported: Imported, output: string | undefined): void {
  for (const { what, why } of imported.left) tellUser(`gatekeeper: not imported: ${visible(what)} (${visible(why)})`);
  const left = imported.left.length > 0 ? `, ${imported.left.length} not imported` : '';
  const next = output === undefined ? '' : `; look at it with: gatekeeper policy check ${visible(output)}`;
  const count = countRules(imported);
  tellUser(`gatekeeper: ${count} ${count === 1 ? 'rule' : 'rules'}${left}${next}`);
}

const countRules = ({ rules }: Imported): number => [...rules.values()].reduce((sum, list) => sum + list.length, 0);

function formatOf(value: unknown, path: string): keyof typeof READERS {
  const has = (key: string): boolean => typeof value === 'object' && value !== null && Object.hasOwn(value, key);
  if (has('policies')) return 'native';
  if (has('permissions') || has('sandbox')) return 'claude-code';
  if (has('network') || has('filesystem')) return 'srt';
  throw new GatekeeperError('GK_POLICY_IMPORT', { what: 'the file has none of the forms that are known', where: path });
}

const READERS = { 'claude-code': importClaudeCode, srt: importSandboxRuntime, native: importNative } as const;
