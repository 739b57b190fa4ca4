import { ENFORCE_LEVELS, type EnforceLevel, RUN_NAME } from '../core/contract/control-api.ts';
import { GatekeeperError } from '../core/errors/gatekeeper-error.ts';

export type RunArguments = {
  argv: string[];
  policy?: string;
  name?: string;
  netAllow: string[];
  simulate: boolean;
  enforce: EnforceLevel;
  verbose: boolean;
  detach: boolean;
  hooks: boolean;
  quietHook: boolean;
};

/** The options of `run`: read by the parser below, and by the help and the completions that commander makes. */
export const RUN_OPTIONS = [
  {
    long: '--policy',
    value: 'policy',
    text: 'policy file (with a slash or an ending) or preset, in place of your own',
  },
  {
    long: '--net-allow',
    value: 'destination',
    text: 'allow a destination in this run, as in api.example.com:443 (repeatable)',
    many: true,
  },
  { long: '--name', value: 'name', text: 'name for ps, kill and the audit log' },
  { long: '--simulate', text: 'decide and record, but let everything happen' },
  { long: '--enforce', value: 'level', text: 'enforcement level: kernel (the default), or hook, a weaker one' },
  { long: '--detach', text: 'let it go on in the background; its identifier is printed, for ps and kill' },
  {
    long: '--no-hooks',
    text: 'load nothing into its processes; what may happen is the same, refusals are not explained',
  },
  { long: '--quiet-hook', text: 'explain no refusal on the standard error of its processes' },
  { long: '--verbose', text: 'say on standard error which policy holds, and at the end what was denied' },
] as const satisfies readonly RunOption[];

export type RunOption = { long: string; value?: string; text: string; many?: boolean };

/**
 * Reads what follows `run`. Options end at `--` or at the first word that is none; from there on everything is the
 * command, untouched. Throws GK_USAGE.
 */
export function parseRunArguments(args: readonly string[]): RunArguments | 'help' {
  const given = new Map<string, string[]>();
  let index = 0;
  for (; index < args.length; index++) {
    const word = args[index]!;
    if (word === '--') {
      index++;
      break;
    }
    if (!word.startsWith('-') || word === '-') break;
    if (word === '-h' || word === '--help') return 'help';
    const equals = word.startsWith('--') ? word.indexOf('=') : -1;
    const name = equals < 0 ? word : word.slice(0, equals);
    const option: RunOption | undefined = RUN_OPTIONS.find(({ long }) => long === name);
    if (!option) throw usage(`run has no option ${name}`);
    const value = equals < 0 ? (option.value ? args[++index] : '') : word.slice(equals + 1);
    addValue(given, option, value, equals >= 0);
  }
  return toArguments(given, args.slice(index));
}

function addValue(given: Map<string, string[]>, option: RunOption, value: string | undefined, inline: boolean): void {
  if (option.value ? !value : inline) {
    throw usage(option.value ? `${option.long} needs a ${option.value}` : `${option.long} takes no value`);
  }
  const before = given.get(option.long) ?? [];
  if (before.length > 0 && option.value && !option.many) throw usage(`${option.long} is given twice`);
  given.set(option.long, [...before, value!]);
}

function toArguments(given: Map<string, string[]>, argv: string[]): RunArguments {
  if (argv.length === 0) throw usage('run needs a command', 'write it as: gatekeeper run -- COMMAND ARGUMENTS');
  const enforce = given.get('--enforce')?.[0] ?? 'kernel';
  if (!isEnforceLevel(enforce)) {
    throw usage(
      `there is no enforcement level ${enforce}`,
      'use --enforce kernel, or --enforce hook where that cannot work',
    );
  }
  if (enforce === 'hook' && given.has('--no-hooks')) {
    throw usage('--enforce=hook and --no-hooks leave nothing that decides', 'leave one of them out');
  }
  const policy = given.get('--policy')?.[0];
  const name = given.get('--name')?.[0];
  if (name !== undefined && !RUN_NAME.test(name)) {
    throw usage(`--name ${name} is no name for a run`, 'use up to 63 letters, digits, dots, dashes and underscores');
  }
  return {
    argv,
    ...(policy === undefined ? {} : { policy }),
    ...(name === undefined ? {} : { name }),
    netAllow: given.get('--net-allow') ?? [],
    simulate: given.has('--simulate'),
    enforce,
    verbose: given.has('--verbose'),
    detach: given.has('--detach'),
    hooks: !given.has('--no-hooks'),
    quietHook: given.has('--quiet-hook'),
  };
}

const isEnforceLevel = (text: string): text is EnforceLevel => ENFORCE_LEVELS.some((level) => level === text);

function usage(what: string, remedy = 'see: gatekeeper run --help'): GatekeeperError {
  return new GatekeeperError('GK_USAGE', { what, remedy });
}
