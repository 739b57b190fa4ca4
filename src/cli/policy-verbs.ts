import { type Command, Option } from 'commander';
import type { Done } from './verbs.ts';

/** Adds what is beneath `policy`. */
export function addPolicy(program: Command, done: Done): void {
  const policy = program
    .command('policy')
    .summary('write, check, explain, test and compare policies')
    .description('Write, check, explain, test and compare policies.');
  addWriting(policy, done);
  addChecking(policy, done);
  addLooking(policy, done);
  addTrust(policy, done);
}

function addWriting(policy: Command, done: Done): void {
  policy
    .command('init')
    .summary('write a policy')
    .description(
      'Write a commented policy to start from. Asks on a terminal; takes its answers from options elsewhere.',
    )
    .argument('[file]', 'where to write it (default: your own policy)')
    .option('--extends <presets>', 'presets that it builds on, with commas: default, node,claude-code …')
    .option('--allow-host <destination>', 'a destination to allow (repeatable)', collect)
    .option('--project', 'for this directory: .gatekeeper.yaml, which can only tighten')
    .option('--force', 'replace a file that exists')
    .option('--yes', 'ask nothing')
    .addOption(json())
    .action(async (file, options) => done(await (await import('./commands/policy-init.ts')).policyInit(file, options)));
  policy
    .command('import')
    .summary('translate rules of another program')
    .description(
      'Translate the rules of another program, and list what cannot be said here. Prints the policy, or writes it.',
    )
    .argument('<file>', 'what to read')
    .addOption(
      new Option('--from <format>', 'what the file is')
        .choices(['auto', 'claude-code', 'srt', 'native'])
        .default('auto'),
    )
    .option('-o, --output <file>', 'write it there')
    .option('--force', 'replace a file that exists')
    .addOption(json())
    .action(async (file, options) =>
      done(await (await import('./commands/policy-import.ts')).policyImport(file, options)),
    );
}

function addChecking(policy: Command, done: Done): void {
  policy
    .command('check')
    .summary('find errors, and what is likely not meant')
    .description(
      'Check a policy file, or the policy in force here: every error with line and column, rules without effect, secrets within reach, exceptions and what they open.',
    )
    .argument('[file]', 'policy file or preset; without it, the layers in force here')
    .option('--no-lint', 'errors only')
    .option('--strict', 'exit with 1 when there is a warning')
    .addOption(json())
    .action(async (file, options) =>
      done(await (await import('./commands/policy-check.ts')).policyCheck(file, options)),
    );
  policy
    .command('test')
    .summary('hold policies against their cases')
    .description('Hold a policy against files of cases. Exits 1 when one fails.')
    .argument('[file...]', 'files of cases; NAME.cases.yaml goes with NAME.yaml (default: those of your own policy)')
    .option('--policy <policy>', 'policy file or preset to test')
    .option('--failed', 'print only those that fail')
    .addOption(json())
    .action(async (files, options) =>
      done(await (await import('./commands/policy-test.ts')).policyTest(files, options)),
    );
  policy
    .command('diff')
    .summary('say what two policies judge differently')
    .description(
      'Compare two policies: for each action and each change of verdict a shortest path, command or destination. Computed on the automata, so that none is missed. Exits 1 when they differ.',
    )
    .argument('<before>', 'policy file or preset')
    .argument('[after]', 'the other; without it, the one in force here takes the place of the first')
    .addOption(json())
    .action(async (before, after, options) =>
      done(await (await import('./commands/policy-diff.ts')).policyDiff(before, after, options)),
    );
}

function addLooking(policy: Command, done: Done): void {
  policy
    .command('explain')
    .summary('say what would happen, and why')
    .description('Say what would happen, and why. Exits 0 when allowed, 1 when denied, 2 when a human is asked.')
    .argument('<action>', 'file_read, file_write, file_delete, shell_exec, network, unix_socket')
    .argument('<target...>', 'path, command or destination')
    .option('--policy <policy>', 'policy file or preset, in place of your own')
    .option('--net-allow <destination>', 'as in run (repeatable)', collect)
    .addOption(json())
    // `git push --force` is a target as it stands; our own options are known anywhere.
    .allowUnknownOption()
    .action(async (action, target, options) =>
      done(await (await import('./commands/policy-explain.ts')).policyExplain(action, target, options)),
    );
  policy
    .command('show')
    .summary('list the layers in force and their rules')
    .description('Show the layers in force here and their rules.')
    .option('--policy <policy>', 'policy file or preset, in place of your own')
    .option('--presets', 'which presets there are, instead')
    .addOption(json())
    .action(async (options) => done(await (await import('./commands/policy-show.ts')).policyShow(options)));
}

function addTrust(policy: Command, done: Done): void {
  policy
    .command('trust')
    .summary("let a project's own policy loosen")
    .description(
      "Let a project's own policy loosen too, as long as its text stays what it is. Shows what it would loosen, and asks.",
    )
    .argument('[file]', 'the file (default: .gatekeeper.yaml here)')
    .option('--list', 'list what is trusted')
    .option('--remove', 'trust it no longer')
    .option('--yes', 'do not ask')
    .addOption(json())
    .action(async (file, options) =>
      done(await (await import('./commands/policy-trust.ts')).policyTrust(file, options)),
    );
}

const json = (): Option => new Option('--json', 'as JSON');
const collect = (value: string, before: string[] = []): string[] => [...before, value];
