import { readFileSync, statSync } from 'node:fs';
import { parseDocument } from 'yaml';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { LARGEST_POLICY_BYTES } from './read-file.ts';

/**
 * Reads a file of another program as plain data: JSON, of which comments are a part for some, or YAML.
 * @throws GatekeeperError (GK_POLICY_IMPORT)
 */
export function readForeignRules(path: string): unknown {
  const refuse = (what: string, cause?: unknown): never => {
    throw new GatekeeperError('GK_POLICY_IMPORT', { what, where: path, remedy: 'name a file of JSON or YAML', cause });
  };
  let text: string;
  try {
    const stat = statSync(path);
    if (!stat.isFile()) return refuse('that is not a regular file');
    if (stat.size > LARGEST_POLICY_BYTES) return refuse(`the file is larger than ${LARGEST_POLICY_BYTES} bytes`);
    text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    if (error instanceof GatekeeperError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    return refuse(
      code === 'ENOENT' ? 'there is no such file' : `the file cannot be read (${code ?? 'not UTF-8'})`,
      error,
    );
  }
  const document = parseDocument(text, { schema: 'core', merge: false, prettyErrors: false });
  const [error] = document.errors;
  if (error) return refuse(error.message.split('\n')[0] ?? 'the file is not understood', error);
  return document.toJS({ maxAliasCount: 0 });
}
