import type { EscapeRow } from '../row.ts';

/** Everything that may be executed may be read as a whole, so that the filter lets hints of files through; the rest of the project is denied. */
const POLICY = `name: hints
version: 1
policies:
  - action: file_read
    defaultEffect: deny
    rules:
      - path: ["/usr/**", "/bin/**", "/sbin/**", "/lib/**", "/lib64/**", "./open/**"]
        effect: allow
  - action: shell_exec
    defaultEffect: allow
`;

/** The attacker lies where it may be executed, and next to it a link to the secret. */
const BEFORE = 'mkdir -p {project}/open && cp {probe} {project}/open/probe && ln -s {secret} {project}/open/link';
const probe = (...args: readonly string[]) => ({
  command: ['{project}/open/probe', ...args],
  before: BEFORE,
  policy: POLICY,
});

/** Besides the tree that is read by hints, two where names may change and .env files are shut. */
const MOVING = `name: moving
version: 1
policies:
  - action: file_read
    defaultEffect: deny
    rules:
      - path: ["/usr/**", "/bin/**", "/sbin/**", "/lib/**", "/lib64/**", "./open/**", "./moved/**", "./stock/**"]
        effect: allow
      - path: ["./moved/**/.env", "./stock/**/.env"]
        effect: deny
  - action: file_write
    defaultEffect: deny
    rules: [{ path: "./**", effect: allow }]
  - action: file_delete
    defaultEffect: deny
    rules: [{ path: "./**", effect: allow }]
  - action: shell_exec
    defaultEffect: allow
    rules:
      - command: ["./moved *", "./moved/* *", "./stock *", "./stock/* *"]
        effect: deny
`;
const moving = (...args: readonly string[]) => ({
  command: ['{project}/open/probe', 'hinted-move', ...args],
  before: `${BEFORE} && mkdir -p {project}/stock/kept && cp {secret} {project}/stock/kept/.env`,
  policy: MOVING,
  unharmed: 'test -e {project}/stock/kept/.env && test -e {project}/open/probe',
});

/** Opens that claim to need no supervisor. Each technique tries many forms, and has failed only when none of them worked. */
export const HINTED: readonly EscapeRow[] = [
  {
    covers: ['A01', 'A08', 'B10'],
    title: 'reading by a lying hint, where hints of files are on',
    ...probe('hinted-read', '{secret}', '{project}/open/link'),
    outside: 'works',
    inside: 'EACCES',
    layer: 'landlock',
  },
  {
    covers: ['A01', 'A08', 'B10'],
    title: 'reading by a lying hint, where the file could be executed',
    technique: 'hinted-read',
    args: ['{secret}', '{project}/link'],
    before: 'ln -s {secret} {project}/link && chmod +x {secret}',
    outside: 'works',
    inside: 'EACCES',
    layer: 'filter',
    receipt: { action: 'file_read', target: '{secret}' },
  },
  {
    covers: ['A08', 'B23'],
    title: 'changing by a hint what hints may read',
    ...probe('hinted-change', '{project}/open/ok.txt', '{project}/open/new.txt'),
    before: `${BEFORE} && echo ordinary > {project}/open/ok.txt`,
    outside: 'works',
    inside: 'EACCES',
    layer: 'filter',
    unharmed: 'test "$(cat {project}/open/ok.txt)" = ordinary && test ! -e {project}/open/new.txt',
    receipt: { action: 'file_write', target: '{project}/open/ok.txt' },
  },
  {
    covers: ['A08'],
    title: 'listing a directory by a lying hint',
    ...probe('hinted-list', '{project}'),
    outside: 'works',
    inside: 'EACCES',
    layer: 'landlock',
  },
  {
    covers: ['A08', 'B23'],
    title: 'moving a secret into a tree that hints may read',
    ...moving(
      '{project}/open/probe',
      '{project}/open/probe',
      '{project}/stock/kept',
      '{project}/open/kept',
      '{project}/open/kept/.env',
    ),
    outside: 'works',
    inside: 'EACCES',
    layer: 'supervisor',
    receipt: { action: 'file_delete', target: '{project}/stock/kept', source: 'protection' },
  },
  {
    covers: ['A08', 'B23'],
    title: 'moving a tree that hints may read to where a secret may follow it',
    ...moving(
      '{project}/open',
      '{project}/moved',
      '{project}/stock/kept',
      '{project}/moved/kept',
      '{project}/moved/kept/.env',
    ),
    outside: 'works',
    inside: 'EACCES',
    layer: 'supervisor',
    receipt: { action: 'file_delete', target: '{project}/open', source: 'protection' },
  },
];
