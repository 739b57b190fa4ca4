import { parseAddress } from '../egress/address.ts';
import { canonicalRequestPath } from '../egress/request-path.ts';
import { canonicalCommand } from '../engine/command-text.ts';
import { decideCommand, decideHost, decidePath, type HostRequest, type PathAction } from '../engine/decide.ts';
import { egressTermsFor } from '../engine/egress-terms.ts';
import type { PolicyImage } from '../engine/image.ts';
import type { Decision } from '../engine/precedence.ts';
import { type Placed, SUBJECT_OF } from '../policy/document.ts';
import { PolicyError } from '../policy/policy-error.ts';
import { YamlReader } from '../policy/yaml-reader.ts';
import { ACTION, type ActionName, EFFECT, type EffectName } from '../wire/messages.ts';

/** A request, and what a policy has to say of it. What is undefined is not compared. */
export type PolicyCase = {
  line: number;
  action: ActionName;
  /** As it is written: a path, a command or a destination. */
  subject: string;
  expect: EffectName;
  source: string | undefined;
  rule: string | undefined;
  pierced: string | undefined;
  reason: string | undefined;
  log: boolean | undefined;
  decide(image: PolicyImage): Decision;
};

export type CaseFile = { policy: Placed | undefined; home: string; workspace: string; cases: PolicyCase[] };

/**
 * Reads a file of cases. They hold on every machine alike: home is /home/u and the workspace /home/u/p, unless the file says otherwise.
 * @throws PolicyError with every problem found
 */
export function parseCases(path: string, text: string): CaseFile {
  const reader = new YamlReader(path, text);
  if (reader.problems.length > 0) throw new PolicyError(reader.problems);
  const entries = reader.map(reader.root, 'a file of cases', FILE_KEYS);
  const word = (key: string): Placed | undefined => {
    const entry = entries.get(key);
    return (entry && reader.string(entry.value, key)) ?? undefined;
  };
  const home = directory(reader, word('home'), HOME);
  const workspace = directory(reader, word('workspace'), `${home}/p`);
  const list = entries.get('cases');
  if (!list) reader.problem(reader.root, 'cases is missing', 'a file of cases holds a list of them under "cases:"');
  const cases = list
    ? reader.list(list.value, 'cases').flatMap((node) => readCase(reader, node, { home, workspace }) ?? [])
    : [];
  const policy = word('policy');
  if (reader.problems.length > 0) throw new PolicyError(reader.problems);
  return { policy, home, workspace, cases };
}

/** What is not as expected, one line each; empty when the case holds. */
export function failuresOf(row: PolicyCase, image: PolicyImage, decision: Decision): string[] {
  const { rule, source, effect, pierced, log } = decision;
  const view = rule === null ? undefined : image.rules[rule];
  const hidden = pierced === null ? undefined : image.rules[pierced]!.pattern;
  const failures: string[] = [];
  const compare = (what: string, wanted: unknown, found: unknown): void => {
    if (wanted !== undefined && wanted !== found) failures.push(`${what} is ${text(found)}, not ${text(wanted)}`);
  };
  compare('the verdict', row.expect, effect);
  compare('its source', row.source, source);
  compare('the rule', row.rule, view?.pattern);
  compare('the reason', row.reason, view?.reason);
  compare('the pierced rule', row.pierced, hidden);
  compare('log', row.log, log);
  return failures;
}

type Directories = { home: string; workspace: string };

function readCase(reader: YamlReader, node: YamlReader['root'], directories: Directories): PolicyCase | null {
  const entries = reader.map(node, 'a case', CASE_KEYS);
  const word = (key: string): Placed | undefined => {
    const entry = entries.get(key);
    return (entry && reader.string(entry.value, key)) ?? undefined;
  };
  const flag = (key: string): boolean | undefined => {
    const entry = entries.get(key);
    return entry && reader.boolean(entry.value, key);
  };
  const action = oneOf(reader, node, word('action'), 'action', ACTIONS);
  const expect = oneOf(reader, node, word('expect'), 'expect', Object.keys(EFFECT));
  if (!action || !expect) return null;
  const name = action as ActionName;
  const key = SUBJECT_OF[name]!;
  const subject = entries.get(key);
  if (!subject) {
    reader.problem(node, `${key} is missing`, `a case of ${name} names a ${key}`);
    return null;
  }
  const words = reader.strings(subject.value, key);
  const decide = decider(reader, name, words, directories, flag('writable') ?? false, word('method')?.text);
  const base = { line: reader.place(node).line, action: name, subject: words.map(({ text: one }) => one).join(' ') };
  return {
    ...base,
    expect: expect as EffectName,
    source: word('source')?.text,
    rule: word('rule')?.text,
    pierced: word('pierced')?.text,
    reason: word('reason')?.text,
    log: flag('log'),
    decide,
  };
}

function decider(
  reader: YamlReader,
  action: ActionName,
  words: readonly Placed[],
  directories: Directories,
  writable: boolean,
  method: string | undefined,
): PolicyCase['decide'] {
  const [first] = words;
  if (!first)
    return () => {
      throw new RangeError('a case without a subject');
    };
  if (action === 'shell_exec') return commandDecider(reader, words, directories, writable);
  if (action === 'network') {
    const request = readRequest(first.text, method);
    const isTunnel = first.text.startsWith('https://');
    if (!request)
      reader.problemAt(
        first,
        'not a destination',
        'write host:port, [2001:db8::1]:443, http://host/path or https://host/path',
      );
    return (image) => decideHost(image, isTunnel ? asSeen(image, request!) : request!);
  }
  const path = expand(first.text, directories);
  if (!path.startsWith('/')) reader.problemAt(first, 'not a path', 'write it with /, ~/ or ./ in front');
  return (image) => decidePath(image, action as PathAction, bytes(path));
}

/** A command is a list of words, or one text that is split at blanks; its first word is the program's full path. */
function commandDecider(
  reader: YamlReader,
  given: readonly Placed[],
  directories: Directories,
  writable: boolean,
): PolicyCase['decide'] {
  const texts = given.map(({ text: word }) => word);
  const [program = '', ...args] = texts.length === 1 ? texts[0]!.split(/ +/).filter(Boolean) : texts;
  const path = program.includes('/') ? expand(program, directories) : `/usr/bin/${program}`;
  if (!path.startsWith('/')) reader.problemAt(given[0]!, 'not a program', 'write its full path, or its name alone');
  const rest = args.map(bytes);
  const base = canonicalCommand([bytes(path.slice(path.lastIndexOf('/') + 1)), ...rest]);
  const whole = canonicalCommand([bytes(path), ...rest]);
  return (image) => decideCommand(image, base, whole, writable);
}

/** Of what TLS carries only inspection knows more than where it goes. */
function asSeen(image: PolicyImage, { request, ...endpoint }: HostRequest): HostRequest {
  return egressTermsFor(image, endpoint).inspect ? { ...endpoint, request } : endpoint;
}

function readRequest(written: string, method: string | undefined): HostRequest | undefined {
  const [, scheme, target = '', path] = /^(https?):\/\/([^/]*)(\/.*)?$/.exec(written) ?? [undefined, '', written];
  const [, host = '', port] = /^(.*?)(?::([1-9][0-9]{0,4}))?$/.exec(target)!;
  const isUrl = scheme !== '';
  const number = Number(port ?? (scheme === 'http' ? 80 : 443));
  if (host === '' || /[/@\s]/.test(host) || number > 65_535) return undefined;
  const address = parseAddress(host.replace(/^\[(.*)\]$/, '$1'));
  const where = address ? { address } : { name: host.toLowerCase() };
  if (!isUrl && method === undefined) return { ...where, port: number };
  return { ...where, port: number, request: { method: method ?? 'GET', path: canonicalRequestPath(path ?? '/') } };
}

function oneOf(
  reader: YamlReader,
  node: YamlReader['root'],
  word: Placed | undefined,
  key: string,
  known: readonly string[],
): string | null {
  if (word && known.includes(word.text)) return word.text;
  const remedy = `write one of: ${known.join(', ')}`;
  if (word) reader.problemAt(word, `unknown ${key} ${JSON.stringify(word.text)}`, remedy);
  else reader.problem(node, `${key} is missing`, remedy);
  return null;
}

function directory(reader: YamlReader, written: Placed | undefined, usual: string): string {
  if (written && !written.text.startsWith('/')) reader.problemAt(written, 'not an absolute path');
  return written?.text.replace(/\/+$/, '') ?? usual;
}

function expand(path: string, { home, workspace }: Directories): string {
  return path.replace(/^~(?=\/|$)/, home).replace(/^\.(?=\/|$)/, workspace);
}

const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);
const text = (value: unknown): string => (value === undefined ? 'none' : String(value));
const ACTIONS = Object.keys(ACTION).filter((name) => SUBJECT_OF[name as ActionName] !== null);
const FILE_KEYS = ['policy', 'home', 'workspace', 'cases'];
const CASE_KEYS = [
  'action',
  'path',
  'command',
  'destination',
  'method',
  'writable',
  'expect',
  'source',
  'rule',
  'pierced',
  'reason',
  'log',
];
const HOME = '/home/u';
