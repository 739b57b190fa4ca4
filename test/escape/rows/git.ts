import type { EscapeRow } from '../row.ts';

const pointer = '{project}/part/.git';
const wanted = 'gitdir: ../.git/modules/part';
const write = { action: 'file_write', source: 'protection' } as const;
/** A repository with one commit, entered, without a word. */
const whole =
  'export GIT_CONFIG_GLOBAL=/dev/null; git init -q whole && cd whole && git -c user.name=a -c user.email=a@example.invalid commit -q --allow-empty -m a';
/** Ends as a program does whose attempt was refused, unless the file `ran` came to be. */
const orRefused = '|| { echo Permission denied >&2; exit 1; }';

/** Files that tell git where its configuration and hooks are: obeyed outside, by whoever uses git there later. */
export const GIT: readonly EscapeRow[] = [
  ...(['write', 'append', 'creat', 'descriptor-upgrade'] as const).map((technique) => ({
    covers: ['B13', 'C16'],
    title: `leading a submodule elsewhere: ${technique}`,
    technique,
    args: [pointer],
    before: `mkdir {project}/part && echo '${wanted}' > ${pointer}`,
    outside: 'works' as const,
    // What is written is a draft of the file, and goes nowhere.
    inside: 'it worked',
    layer: 'supervisor' as const,
    receipt: { ...write, target: pointer },
    unharmed: `test "$(cat ${pointer})" = '${wanted}'`,
  })),
  ...(
    [
      ['truncate', [pointer]],
      ['read-truncate', [pointer]],
      ['link-onto', ['{project}/other', pointer]],
      ['rename-onto', [pointer, '{project}/evil']],
      ['swap', ['{project}/evil', pointer]],
    ] as const
  ).map(([technique, args]) => ({
    covers: ['B13', 'C16'],
    title: `leading a submodule elsewhere: ${technique}`,
    technique,
    args,
    before: `mkdir {project}/part && echo '${wanted}' > ${pointer} && echo 'gitdir: ../evil' > {project}/evil`,
    outside: 'works' as const,
    inside: 'EACCES',
    layer: 'supervisor' as const,
    unharmed: `test "$(cat ${pointer})" = '${wanted}' && test ! -e {project}/other`,
  })),
  ...[
    ['a directory of the run', 'gitdir: {project}/prepared\\n'],
    ['a relative directory', 'gitdir: ../prepared\\n'],
    ['a name that is left again', 'gitdir: ../.git/modules/../../prepared\\n'],
    ['a repository through a link', 'gitdir: ../way/.git/modules/part\\n'],
    ['a second line', 'gitdir: ../.git/modules/part\\n/../../../prepared\\n'],
    ['a repository outside of what the run may write', 'gitdir: /etc/.git/modules/part\\n'],
    ['nothing', ''],
  ].map(([what, text]) => ({
    covers: ['B13', 'C16'],
    title: `a new file that leads git elsewhere: ${what}`,
    command: ['sh', '-c', `printf '${text}' > ${pointer}`],
    before: 'mkdir -p {project}/part {project}/.git/modules {project}/prepared && ln -s . {project}/way',
    outside: 'works' as const,
    inside: 'it worked',
    layer: 'supervisor' as const,
    receipt: { ...write, target: pointer },
    unharmed: `test ! -e ${pointer}`,
  })),
  ...[
    [
      'a prepared repository',
      'git init -q --bare evil && printf "[core]\\n\\tfsmonitor = touch $PWD/ran; false\\n\\tworktree = $PWD/part\\n\\tbare = false\\n" > evil/config && mkdir part && echo "gitdir: ../evil" > part/.git; git -C part status >/dev/null 2>&1; test -e ran',
    ],
    [
      'an earlier writer, after the check',
      'git init -q --bare evil && mkdir part .git && exec 3>part/.git && echo "gitdir: ../.git/modules/part" >&3 && ls >/dev/null && printf "                          " >/dev/null && exec 4>/proc/self/fd/3 && echo "gitdir: ../evil" >&4 && exec 3>&- 4>&-; git -C part rev-parse --git-dir 2>/dev/null | grep -q evil',
    ],
    [
      'configuration of its own for a linked working tree',
      `${whole} && git worktree add -q t 2>/dev/null && cd .git/worktrees/t && rm commondir && mkdir -p objects refs && printf "[core]\\n\\tfsmonitor = touch $PWD/ran; false\\n\\trepositoryformatversion = 0\\n" > config 2>/dev/null; test -e config`,
    ],
    [
      'a linked working tree with another common directory',
      `${whole} && git worktree add -q t 2>/dev/null && echo ../../../evil > .git/worktrees/t/commondir; grep -q evil .git/worktrees/t/commondir`,
    ],
    [
      'a linked working tree, moved to where its common directory is another',
      `${whole} && git worktree add -q t 2>/dev/null && mkdir -p evil/part && mv .git/worktrees/t evil/part/.git 2>/dev/null`,
    ],
    [
      'a directory of hooks, moved into a linked working tree',
      `${whole} && mkdir -p x/hooks && echo x > x/hooks/post-checkout && mkdir .git/worktrees && mv x .git/worktrees/x 2>/dev/null`,
    ],
  ].map(([what, script]) => ({
    covers: ['B13', 'C16'],
    title: `git is made to obey: ${what}`,
    command: ['sh', '-c', `${script} ${orRefused}`],
    outside: 'works' as const,
    inside: 'EACCES',
    layer: 'supervisor' as const,
    unharmed: 'test ! -e {project}/ran',
  })),
  ...[
    ['above the repository', '../../../..'],
    ['the repository itself', '../../..'],
    ['by its absolute name', '{project}/part'],
    ['inside the repository directory', '../../hooks'],
    ['through a link', '../../../way/part'],
  ].map(([what, value]) => ({
    covers: ['C16'],
    title: `a submodule whose files are elsewhere: ${what}`,
    technique: 'rename-onto',
    args: ['{project}/.git/modules/part/config', '{project}/.git/modules/part/config.lock'],
    before: `mkdir -p {project}/part {project}/.git/hooks {project}/.git/modules/part && ln -s . {project}/way && printf '[core]\\n\\tworktree = ${value}\\n' > {project}/.git/modules/part/config.lock`,
    outside: 'works' as const,
    inside: 'EACCES',
    layer: 'supervisor' as const,
    receipt: { ...write, target: '{project}/.git/modules/part/config' },
    unharmed: 'test ! -e {project}/.git/modules/part/config',
  })),
];
