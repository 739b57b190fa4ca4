import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { checkDestination } from '../../adapters/policy-files/net-allow.ts';
import { isPreset, PRESETS, presetSource } from '../../adapters/policy-files/presets.ts';
import { writePolicy } from '../../adapters/policy-files/write-policy.ts';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { parsePolicy } from '../../core/policy/parse.ts';
import { visible } from '../../core/text/visible.ts';
import { ask, canAsk } from '../ask.ts';
import { ownHome, workingDirectory } from '../home.ts';
import { type InitAnswers, initText, projectText } from '../init-text.ts';
import { paint } from '../render/paint.ts';
import { print, printJson } from '../render/print.ts';

export type InitOptions = {
  extends?: string;
  allowHost?: string[];
  project?: boolean;
  force?: boolean;
  yes?: boolean;
  json?: boolean;
};

/** Writes a policy to start from. Never replaces one unless forced. */
export async function policyInit(file: string | undefined, options: InitOptions): Promise<number> {
  const cwd = workingDirectory();
  const usual = options.project ? join(cwd, '.gatekeeper.yaml') : ownHome().userPolicy;
  const path = file === undefined ? usual : resolve(cwd, file);
  // Said before anything is asked; the write looks again.
  if (!options.force && existsSync(path)) throw new GatekeeperError('GK_POLICY_EXISTS', { where: path });
  const text = options.project ? projectText() : initText(await answersOf(options, cwd));
  parsePolicy({ name: 'new', layer: 'user', text, path });
  writePolicy(path, text, { replace: options.force ?? false });
  const { extends: parents } = parsePolicy({ name: 'new', layer: 'user', text, path });
  if (options.json) printJson({ path, extends: parents.map((parent) => parent.text) });
  else {
    print(`${paint('green', 'wrote')} ${visible(path)}`);
    print(
      `See what it says: gatekeeper policy show; check it: gatekeeper policy check; start: gatekeeper run -- COMMAND`,
    );
  }
  return 0;
}

async function answersOf(options: InitOptions, cwd: string): Promise<InitAnswers> {
  const given: InitAnswers = {
    presets: options.extends === undefined ? [] : wordsOf(options.extends),
    hosts: options.allowHost ?? [],
  };
  const found = foundHere(cwd);
  const asks = given.presets.length === 0 && !options.yes && !options.json && canAsk();
  const answers = asks ? await askFor(given, found) : given;
  const presets = answers.presets.length > 0 ? answers.presets : ['default', ...found];
  refuseUnfit(presets);
  for (const host of answers.hosts) checkDestination(host);
  return { presets, hosts: answers.hosts };
}

async function askFor(given: InitAnswers, found: readonly string[]): Promise<InitAnswers> {
  return ask(async (put) => {
    print(paint('dim', 'Each question takes the answer in brackets when you press Enter.'));
    const base = await choose(put, `How strict? ${BASES.join(', ')}:`, BASES, ['default']);
    const strictness = base[0] ?? 'default';
    const presets = [strictness];
    if (strictness === 'default') {
      presets.push(...(await choose(put, `Which agents? ${AGENTS.join(', ')}, or none:`, AGENTS, [])));
      presets.push(...(await choose(put, `Which toolchains? ${TOOLCHAINS.join(', ')}, or none:`, TOOLCHAINS, found)));
    }
    for (;;) {
      const hosts = wordsOf(
        await put('More hosts to allow, as api.example.com:443 (or none):', given.hosts.join(', ') || 'none'),
      );
      try {
        for (const host of hosts) checkDestination(host);
        return { presets, hosts };
      } catch (error) {
        if (!(error instanceof GatekeeperError)) throw error;
        print(`${paint('yellow', visible(error.where))}: ${visible(error.what)}; ${visible(error.remedy)}`);
      }
    }
  });
}

type Put = (question: string, usual: string) => Promise<string>;

async function choose(
  put: Put,
  question: string,
  known: readonly string[],
  usual: readonly string[],
): Promise<string[]> {
  for (;;) {
    const words = wordsOf(await put(question, usual.join(', ') || 'none'));
    const unknown = words.filter((word) => !known.includes(word));
    if (unknown.length === 0) return words;
    print(`${paint('yellow', visible(unknown.join(', ')))}: not among ${known.join(', ')}`);
  }
}

/** What a strict base refuses would be allowed again by a preset that builds on another one. */
function refuseUnfit(presets: readonly string[]): void {
  for (const preset of presets) {
    if (!isPreset(preset)) {
      throw new GatekeeperError('GK_POLICY_NOT_FOUND', {
        what: `there is no preset ${preset}`,
        remedy: `presets are ${PRESETS.join(', ')}`,
      });
    }
  }
  const bases = presets.filter((preset) => BASES.includes(preset));
  const built = presets.filter((preset) => parentsOf(preset).includes('default'));
  const strict = bases.find((base) => base !== 'default');
  const loosening = strict === undefined ? undefined : (built[0] ?? bases.find((base) => base !== strict));
  if (!loosening) return;
  throw new GatekeeperError('GK_USAGE', {
    what: `${loosening} would allow again what ${strict} refuses`,
    remedy: `name ${strict} alone, and allow in the file what is missing`,
  });
}

function parentsOf(preset: string): string[] {
  return parsePolicy(presetSource(preset, 'user')).extends.map(({ text }) => text);
}

/** Toolchains that the directory shows signs of. */
function foundHere(cwd: string): string[] {
  return TOOLCHAINS.filter((name) => SIGNS[name]!.some((file) => existsSync(join(cwd, file))));
}

const wordsOf = (text: string): string[] => text.split(/[\s,]+/).filter((word) => word !== '' && word !== 'none');
const BASES = ['default', 'strict', 'readonly', 'observe'].filter(isPreset);
const AGENTS = ['claude-code', 'codex', 'gemini-cli', 'aider'].filter(isPreset);
const SIGNS: Record<string, readonly string[]> = {
  node: ['package.json'],
  python: ['pyproject.toml', 'requirements.txt', 'setup.py'],
  rust: ['Cargo.toml'],
  go: ['go.mod'],
};
const TOOLCHAINS = Object.keys(SIGNS).filter(isPreset);
