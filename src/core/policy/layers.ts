import type { PolicyDocument } from './document.ts';
import { parsePolicy } from './parse.ts';
import { PolicyError } from './policy-error.ts';
import { LAYER, type PolicySource, type ResolveExtends } from './source.ts';

/** A file in its place: what it says, and which files it extends, at any remove. */
export type LayeredFile = { source: PolicySource; document: PolicyDocument; ancestors: Set<LayeredFile> };

/**
 * Reads all files and those that they extend. Order: layer, then a file before its parents. A file that is reached twice in one layer stands there
 * once; in another layer it stands again, for a parent has the standing of its child.
 *
 * @param parse as `parsePolicy`; one that remembers, for callers that read the same files again and again
 * @throws PolicyError
 */
export function readLayers(
  sources: readonly PolicySource[],
  resolve: ResolveExtends,
  parse: ParsePolicy = parsePolicy,
): LayeredFile[] {
  const files: LayeredFile[] = [];
  const ordered = [...sources].sort((a, b) => LAYER[a.layer] - LAYER[b.layer]);
  for (const source of ordered) readFile(source, [], files, resolve, parse);
  return files;
}

export type ParsePolicy = (source: PolicySource) => PolicyDocument;

function readFile(
  source: PolicySource,
  chain: readonly PolicySource[],
  files: LayeredFile[],
  resolve: ResolveExtends,
  parse: ParsePolicy,
): LayeredFile {
  const known = files.find((file) => file.source.layer === source.layer && file.source.name === source.name);
  if (known) return known;
  const file: LayeredFile = { source, document: parse(source), ancestors: new Set() };
  files.push(file);
  for (const reference of file.document.extends) {
    const refuse = (text: string, remedy?: string): never => {
      const place = { line: reference.line, column: reference.column };
      throw new PolicyError([{ file: source.path ?? source.name, ...place, text, ...(remedy ? { remedy } : {}) }]);
    };
    if (source.layer === 'project' && reference.text.startsWith('/')) {
      refuse('a file of a project cannot extend an absolute path', 'use a relative path or the name of a preset');
    }
    const found = resolve(reference.text, source);
    if (!found) return refuse(`extends names "${reference.text}", which does not exist`, REMEDY);
    const parent: PolicySource = { ...found, layer: source.layer };
    const line = [...chain, source];
    const loop = line.findIndex(({ name }) => name === parent.name);
    if (loop >= 0) {
      const names = [...line.slice(loop), parent].map(({ name }) => name);
      refuse(`extends runs in a circle: ${names.join(' → ')}`, 'take one of them out');
    }
    const read = readFile(parent, line, files, resolve, parse);
    file.ancestors.add(read);
    for (const ancestor of read.ancestors) file.ancestors.add(ancestor);
  }
  return file;
}

const REMEDY = 'presets: gatekeeper policy show --presets; files are named by a path relative to this one';
