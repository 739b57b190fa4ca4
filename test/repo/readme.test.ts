import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { buildProgram } from '../../src/cli/program.ts';
import { RUN_OPTIONS } from '../../src/cli/run-arguments.ts';
import { projectFiles, readJson, readText } from './project-files.ts';

const documents = projectFiles().filter((path) => path.endsWith('.md'));

type Mention = { file: string; words: string[] };

/** Commands in code spans and code blocks: `gatekeeper …`, with or without scripts/ before it. */
const mentions: Mention[] = documents.flatMap((file) =>
  codeOf(readText(file)).flatMap((code) =>
    [...code.matchAll(/(?:^|[\s$(])(?:scripts\/)?gatekeeper ((?:[a-z][a-z-]*|--[a-z-]+)(?: [^\n|;&)#]*)?)/g)].map(
      ([, words]) => ({
        file,
        words: words!.trim().split(/\s+/),
      }),
    ),
  ),
);

describe('commands in the documents', () => {
  it('are there to be checked', () => {
    expect(mentions.filter(({ file }) => file === 'README.md').length).toBeGreaterThan(3);
  });

  it('exist, with their options', () => {
    const program = buildProgram();
    expect(mentions.map((mention) => problemOf(program, mention)).filter((problem) => problem !== undefined)).toEqual(
      [],
    );
  });

  it('of npm are scripts of the package', () => {
    const { scripts } = readJson<{ scripts: Record<string, string> }>('package.json');
    const named = documents.flatMap((file) =>
      [
        ...codeOf(readText(file))
          .join('\n')
          .matchAll(/npm run ([a-z:]+)/g),
      ].map(([, name]) => name!),
    );
    expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
  });
});

describe('links in the documents', () => {
  it('lead to files of the project', () => {
    const known = new Set(projectFiles());
    const wrong = documents.flatMap((file) =>
      [...readText(file).matchAll(/\]\((?!https?:|#|mailto:)([^)#]+)(?:#[^)]*)?\)/g)]
        .map(([, target]) => new URL(target!, `file:///${file}`).pathname.slice(1))
        .filter(
          (path) =>
            !known.has(path) && ![...known].some((name) => name.startsWith(path.endsWith('/') ? path : `${path}/`)),
        )
        .map((path) => `${file} → ${path}`),
    );
    expect(wrong).toEqual([]);
  });
});

function problemOf(program: Command, { file, words }: Mention): string | undefined {
  let command = program;
  let index = 0;
  for (; index < words.length; index++) {
    const next = command.commands.find((sub) => sub.name() === words[index]);
    if (!next) break;
    command = next;
  }
  if (command === program && !words[0]!.startsWith('-')) return `${file}: gatekeeper ${words.join(' ')}`;
  const end = words.indexOf('--');
  const options = words.slice(index, end < 0 ? undefined : end).filter((word) => /^--[a-z]/.test(word));
  const known = [
    ...command.options.map(({ long }) => long),
    '--help',
    ...(command.name() === 'run' ? RUN_OPTIONS.map(({ long }) => long) : []),
  ];
  const wrong = options.find((option) => !known.includes(option.split('=')[0]!));
  return wrong ? `${file}: ${command.name()} has no ${wrong}` : undefined;
}

function codeOf(text: string): string[] {
  const blocks = [...text.matchAll(/^```[a-z]*\n(.*?)^```/gms)].map(([, code]) => code!);
  const spans = [...text.replace(/^```.*?^```/gms, '').matchAll(/`([^`\n]+)`/g)].map(([, code]) => code!);
  return [...blocks, ...spans];
}
