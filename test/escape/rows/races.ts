import type { EscapeRow } from '../row.ts';

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
];
