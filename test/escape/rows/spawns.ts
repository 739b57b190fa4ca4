import type { EscapeRow } from '../row.ts';

/** id is what nobody may run here. */
const policy = `version: 1
name: no-id
extends: [default]
policies:
  - action: shell_exec
    rules:
      - { command: ["id", "id *"], effect: deny, reason: "nobody asks" }
`;

const refused = {
  policy,
  outside: 'works',
  inside: 'EACCES',
  layer: 'supervisor',
  receipt: { action: 'shell_exec' },
} as const;
const ID = '/usr/bin/id';
const LOADER = '/lib64/ld-linux-x86-64.so.2';

/** Ways to run a denied program. */
export const SPAWNS: readonly EscapeRow[] = [
  ...(['relative', 'path-descriptor', 'read-descriptor', 'magic-link', 'no-follow', 'memory-link'] as const).map(
    (how) => ({
      covers: how === 'memory-link' ? ['B41'] : ['B44'],
      title: `running a program: ${how}`,
      technique: `spawn-${how}`,
      args: [ID],
      ...refused,
    }),
  ),
  {
    covers: ['B44'],
    title: 'asking whether a program may run, without running it',
    technique: 'spawn-check',
    args: [ID],
    outside: { refusedHere: 'kernels before Linux 6.14 do not know the question' },
    inside: ['EACCES', 'EINVAL'],
    layer: 'supervisor',
    policy,
  },
  {
    covers: ['B41'],
    title: 'running a copy without a name',
    technique: 'spawn-nameless',
    args: [ID, '{project}'],
    ...refused,
  },
  {
    covers: ['B41'],
    title: 'running a copy that was deleted',
    technique: 'spawn-deleted',
    args: [ID, '{project}/copy'],
    ...refused,
  },
  ...(
    [
      ['by its name', [LOADER, ID]],
      ['under another name for the program', [LOADER, '--argv0', 'true', ID]],
      ['by a link to it', ['{project}/link', ID]],
      ['by a copy of it', ['{project}/loader', ID]],
    ] as const
  ).map(([how, command]) => ({
    covers: ['B40'],
    title: `the loader called as a program: ${how}`,
    command: ['sh', '-c', `exec ${command.join(' ')}`],
    before: `ln -s ${LOADER} {project}/link && cp -L ${LOADER} {project}/loader`,
    ...refused,
  })),
  {
    covers: ['B40'],
    title: 'a raw system call out of an interpreter',
    command: [
      'perl',
      '-e',
      `my ($p, $a) = ("${ID}", "id"); my $v = pack("pQ", $a, 0); syscall(59, $p, $v, 0); die "$!\\n"`,
    ],
    ...refused,
  },
  ...(
    [
      ['a script', `printf '#!${ID}\\n' > {project}/script`],
      [
        'a script of a script',
        `printf '#!${ID}\\n' > {project}/inner && printf '#!{project}/inner\\n' > {project}/script && chmod +x {project}/inner`,
      ],
      ['a script of env', `printf '#!/usr/bin/env id\\n' > {project}/script`],
      ['a script with a long first line', `printf '#!%s${ID}\\n' "$(printf '%200s')" > {project}/script`],
    ] as const
  ).map(([what, before]) => ({
    covers: ['B42'],
    title: `a denied program as an interpreter: ${what}`,
    command: ['sh', '-c', 'exec {project}/script'],
    before: `${before} && chmod +x {project}/script`,
    ...refused,
    // It prints an error of its own about the argument that it gets, after it ran.
    outside: { refusedHere: 'the program does not like the name of a script as its argument' },
  })),
  {
    covers: ['B42'],
    title: 'a denied program as the loader of another',
    command: ['sh', '-c', 'exec {project}/program'],
    before: `cp -L ${LOADER} {project}/loader && echo 'int main(void) { return 0; }' > {project}/program.c && gcc -Wl,--dynamic-linker={project}/loader -o {project}/program {project}/program.c`,
    ...refused,
    policy: policy.replace('["id", "id *"]', '["loader", "loader *"]'),
  },
  {
    covers: ['B43'],
    title: 'a secret, given to a shell as its script',
    command: ['sh', '-c', '. {secret} && test -n "$SECRET"'],
    outside: 'works',
    inside: 'EACCES',
    layer: 'supervisor',
    receipt: { action: 'file_read', target: '{secret}' },
  },
];
