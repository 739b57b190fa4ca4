import type { Command } from 'commander';
import { PRESETS } from '../../adapters/policy-files/presets.ts';
import { ENTRY_ACTIONS, VERDICT_WISHES } from '../../core/audit/entry-filter.ts';
import { GatekeeperError } from '../../core/errors/gatekeeper-error.ts';
import { ACTIONS } from '../../core/policy/format.ts';
import { EXPORT_FORMATS } from '../export-formats.ts';
import { print } from '../render/print.ts';

/** Prints the completion script of a shell, made from the tree of verbs. */
export async function completion(shell: string, program: Command): Promise<number> {
  if (shell === 'runs') return (await import('./run-words.ts')).runWords();
  if (shell === 'net-own' || shell === 'net-refused') {
    return (await import('./net-words.ts')).netWords(shell === 'net-own' ? 'own' : 'refused');
  }
  const make = SHELLS[shell as keyof typeof SHELLS] as ((verbs: readonly Verb[]) => string) | undefined;
  if (!Object.hasOwn(SHELLS, shell) || !make) {
    throw new GatekeeperError('GK_USAGE', {
      what: `no completion for ${shell}`,
      remedy: 'name one of: bash, zsh, fish',
    });
  }
  print(make(verbsOf(program)).trimEnd());
  return 0;
}

type Word = { word: string; text: string };
/** `path` is `` for the program itself, `policy explain` for a verb beneath a verb. */
type Verb = { path: string; words: Word[] };

function verbsOf(command: Command, path = ''): Verb[] {
  const verbs = command.commands.map((sub) => ({ word: sub.name(), text: sub.summary() || sub.description() }));
  const options = command.options.map((option) => ({
    word: option.long ?? option.short ?? '',
    text: option.description,
  }));
  const help = { word: '--help', text: 'show the help' };
  const words = [...verbs, ...(TARGETS[path] ?? []), ...options, help].filter(({ word }) => word !== '');
  return [{ path, words }, ...command.commands.flatMap((sub) => verbsOf(sub, `${path} ${sub.name()}`.trim()))];
}

/** After `run` and its options the words belong to the command: it is completed as if it stood alone. */
function bash(verbs: readonly Verb[]): string {
  const cases = verbs.map(({ path, words }) => `    '${path}') words='${words.map(({ word }) => word).join(' ')}' ;;`);
  return `# bash completion for gatekeeper; use it with: source <(gatekeeper completion bash)
_gatekeeper() {
  local current=\${COMP_WORDS[COMP_CWORD]} path='' words='' index
  if [[ \${COMP_WORDS[COMP_CWORD-1]} == --policy && " \${COMP_WORDS[*]:0:COMP_CWORD} " != *' -- '* ]]; then
    COMPREPLY=($(compgen -W '${PRESETS.join(' ')}' -f -- "$current"))
    return
  fi
  if [[ " \${COMP_WORDS[*]:0:COMP_CWORD} " != *' -- '* ]]; then
    case \${COMP_WORDS[COMP_CWORD-1]} in
${VALUES.map(({ option, words }) => `      ${option}) COMPREPLY=($(compgen -W '${words.join(' ')}' -- "$current")); return ;;`).join('\n')}
      --run) COMPREPLY=($(compgen -W "$("\${COMP_WORDS[0]}" completion runs 2>/dev/null)" -- "$current")); return ;;
    esac
  fi
  for ((index = 1; index < COMP_CWORD; index++)); do
    local word=\${COMP_WORDS[index]}
    if [[ $path == run && $word == -- ]]; then
      if declare -F _command_offset >/dev/null; then _command_offset $((index + 1)); else COMPREPLY=($(compgen -c -f -- "$current")); fi
      return
    fi
    case " ${nested(verbs).join(' ')} " in
      *" \${path:+$path/}$word "*) path="\${path:+$path/}$word" ;;
    esac
  done
  case \${path//\\// } in
${cases.join('\n')}
  esac
  case $path in
${DESTINATIONS.map(({ path, which }) => `    '${path.replace(' ', '/')}') [[ $current == -* ]] || { _gatekeeper_destinations ${which}; return; } ;;`).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [[ \${#COMPREPLY[@]} -gt 0 || $current == -* ]] || COMPREPLY=($(compgen -f -- "$current"))
}
_gatekeeper_destinations() {
  local typed=\${COMP_LINE:0:COMP_POINT}
  typed=\${typed##* }
  mapfile -t COMPREPLY < <(compgen -W "$("\${COMP_WORDS[0]}" completion "$1" 2>/dev/null)" -- "$typed")
  # Where a colon ends a word, the shell replaces only what stands behind the last one.
  [[ $COMP_WORDBREAKS != *:* || $typed != *:* ]] || COMPREPLY=("\${COMPREPLY[@]#"\${typed%"\${typed##*:}"}"}")
}
complete -o default -F _gatekeeper gatekeeper`;
}

function zsh(verbs: readonly Verb[]): string {
  const cases = verbs.map(
    ({ path, words }) => `    '${path}') offers=(${words.map(({ word, text }) => zshWord(word, text)).join(' ')}) ;;`,
  );
  return `#compdef gatekeeper
# zsh completion for gatekeeper; use it with: source <(gatekeeper completion zsh)
_gatekeeper() {
  local path_so_far='' word index
  local program=$words[1]
  local -a words_given offers
  words_given=("\${(@)words[2,CURRENT-1]}")
  if [[ $words_given[-1] == --policy && -z \${(M)words_given:#--} ]]; then
    _alternative 'presets:preset:(${PRESETS.join(' ')})' 'files:policy file:_files'
    return
  fi
  if [[ -z \${(M)words_given:#--} ]]; then
    case $words_given[-1] in
${VALUES.map(({ option, words }) => `      ${option}) compadd -- ${words.join(' ')}; return ;;`).join('\n')}
      --run) compadd -- \${(f)"$($program completion runs 2>/dev/null)"}; return ;;
    esac
  fi
  for ((index = 1; index <= $#words_given; index++)); do
    word=$words_given[index]
    if [[ $path_so_far == run && $word == -- ]]; then
      shift $((index + 1)) words
      ((CURRENT -= index + 1))
      _normal
      return
    fi
    case " ${nested(verbs).join(' ')} " in
      *" \${path_so_far:+$path_so_far/}$word "*) path_so_far="\${path_so_far:+$path_so_far/}$word" ;;
    esac
  done
  case \${path_so_far//\\// } in
${cases.join('\n')}
  esac
  case $path_so_far in
${DESTINATIONS.map(({ path, which }) => `    '${path.replace(' ', '/')}') [[ $PREFIX == -* ]] || { compadd -- \${(f)"$($program completion ${which} 2>/dev/null)"}; return } ;;`).join('\n')}
  esac
  _describe 'gatekeeper' offers || _files
}
compdef _gatekeeper gatekeeper`;
}

function fish(verbs: readonly Verb[]): string {
  const lines = verbs.flatMap(({ path, words }) =>
    words.map(({ word, text }) => fishLine(path, verbs, { word, text })),
  );
  return `# fish completion for gatekeeper; use it with: gatekeeper completion fish | source
complete -c gatekeeper -n '__fish_seen_subcommand_from run' -a '(__fish_complete_subcommand --fcs-skip=2)'
${lines.join('\n')}
${DESTINATIONS.map(({ path, which }) => `complete -c gatekeeper -n '${seenAll(path)}' -f -a '(gatekeeper completion ${which} 2>/dev/null)'`).join('\n')}`;
}

const seenAll = (path: string): string =>
  path
    .split(' ')
    .map((part) => `__fish_seen_subcommand_from ${part}`)
    .join('; and ');

function fishLine(path: string, verbs: readonly Verb[], { word, text }: Word): string {
  const below = verbs.find((verb) => verb.path === path)?.words.filter((entry) => !entry.word.startsWith('-')) ?? [];
  const notYet =
    below.length > 0 ? `; and not __fish_seen_subcommand_from ${below.map((entry) => entry.word).join(' ')}` : '';
  const condition = path === '' ? '__fish_use_subcommand' : `${seenAll(path)}${notYet}`;
  const value = valueIn(word);
  const what = word.startsWith('--') ? `-l ${word.slice(2)}${value}` : `-f -a ${word}`;
  return `complete -c gatekeeper -n '${condition}' ${what} -d '${text.replace(/['\\]/g, '\\$&')}'`;
}

function valueIn(word: string): string {
  if (word === '--run') return ` -x -a '(gatekeeper completion runs 2>/dev/null)'`;
  const known = VALUES.find(({ option }) => option === word);
  if (known) return ` -x -a '${known.words.join(' ')}'`;
  return word === '--policy' ? ` -r -a '${PRESETS.join(' ')}'` : '';
}

/** Options whose values are known, wherever they stand. */
const VALUES: readonly { option: string; words: readonly string[] }[] = [
  { option: '--action', words: ENTRY_ACTIONS },
  { option: '--verdict', words: VERDICT_WISHES },
  { option: '--format', words: EXPORT_FORMATS },
];

/** Verbs that take destinations, and which they are offered. */
const DESTINATIONS = [
  { path: 'net allow', which: 'net-refused' },
  { path: 'net deny', which: 'net-refused' },
  { path: 'net remove', which: 'net-own' },
] as const;

const nested = (verbs: readonly Verb[]): string[] =>
  verbs.filter(({ path }) => path !== '').map(({ path }) => path.replaceAll(' ', '/'));

const zshWord = (word: string, text: string): string =>
  `'${word.replaceAll(':', '\\:')}:${text.replaceAll("'", "'\\''")}'`;

const presets = PRESETS.map((word) => ({ word, text: 'preset' }));
const actions = ACTIONS.map((word) => ({ word, text: 'action' }));
/** Names that a verb takes beside files. */
const TARGETS: Readonly<Record<string, readonly Word[]>> = {
  'policy check': presets,
  'policy diff': presets,
  'policy explain': actions,
  'grants add': actions,
};

const SHELLS = { bash, zsh, fish };
