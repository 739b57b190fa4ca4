import type { EscapeRow } from '../row.ts';

const refused = { outside: 'works', inside: 'EACCES', layer: 'supervisor' } as const;

/** Memory and names that change while a call is judged. */
export const RACES: readonly EscapeRow[] = [
  {
    covers: ['B09'],
    title: 'flags of openat2 that flip between reading and writing',
    technique: 'how-race',
    args: ['{guarded}', '{rounds}'],
    outside: 'works',
    inside: 'EACCES',
    layer: 'supervisor',
    unharmed: 'grep -q untouched {guarded}',
  },
  {
    covers: ['D06'],
    title: "an address that flips between the run's own listener and a service",
    technique: 'address-race',
    args: ['{port}', '{rounds}'],
    outside: 'works',
    inside: 'EACCES',
    layer: 'supervisor',
  },
  {
    covers: ['B15'],
    title: 'a directory that changes places with a link to a protected one',
    technique: 'directory-race',
    args: ['{project}/mine', '{project}/theirs', 'tasks.json', '{rounds}'],
    before: 'mkdir {project}/mine && cp {guarded} {project}/mine && ln -s .vscode {project}/theirs',
    outside: 'works',
    inside: 'EACCES',
    layer: 'supervisor',
    unharmed: 'grep -q untouched {guarded} && test "$(ls {project}/.vscode)" = tasks.json',
  },
  {
    covers: ['B02'],
    title: 'the page of a path that comes and goes',
    technique: 'page-race',
    args: ['{secret}', '{rounds}'],
    ...refused,
  },
  {
    covers: ['B02'],
    title: 'a path without an end, which gets one now and then',
    technique: 'length-race',
    args: ['{secret}', '{rounds}'],
    ...refused,
  },
  {
    covers: ['B01', 'B03'],
    title: 'another process that flips the path in a page of both',
    technique: 'shared-page-race',
    args: ['{ok}', '{secret}', '{rounds}'],
    ...refused,
  },
  {
    covers: ['B15'],
    title: 'a directory that another process swaps for a link while files in it are read',
    technique: 'parent-race',
    args: ['{project}/mine', 'plain.txt', '{project}/theirs', '{rounds}'],
    before:
      'mkdir {project}/mine {project}/theirs && echo harmless > {project}/mine/plain.txt && echo SECRET > {project}/theirs/plain.txt',
    policy: `version: 1
name: not-theirs
extends: [default]
policies:
  - action: file_read
    rules:
      - { path: "./theirs/**", effect: deny, reason: "not yours" }
`,
    ...refused,
  },
];
