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
];
