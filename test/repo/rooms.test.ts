import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { importsOf, projectFiles, readJson, readText } from './project-files.ts';
import { NATIVE_ROOMS, PACKAGES, ROOMS } from './rooms.ts';

const sources = projectFiles('src').filter((path) => path.endsWith('.ts'));

type Import = { file: string; room: string; specifier: string; target: string | undefined };

/** Longest listed prefix of the path beneath src. */
function roomOf(path: string): string | undefined {
  const directory = dirname(path.slice('src/'.length));
  return Object.keys(ROOMS)
    .filter((room) => directory === room || (room !== 'core' && directory.startsWith(`${room}/`)))
    .sort((a, b) => b.length - a.length)[0];
}

const imports: Import[] = sources.flatMap((file) =>
  importsOf(file).map((specifier) => ({
    file,
    room: roomOf(file) ?? '?',
    specifier,
    target: specifier.startsWith('.') ? roomOf(normalize(join(dirname(file), specifier))) : undefined,
  })),
);

const allows = (table: readonly string[], room: string): boolean =>
  table.some((entry) => entry === room || (entry.endsWith('/*') && room.startsWith(entry.slice(0, -1))));

describe('rooms of src', () => {
  it('has a room for every file', () => {
    expect(sources.filter((file) => roomOf(file) === undefined)).toEqual([]);
  });

  it('imports only what the table allows', () => {
    const wrong = imports
      .filter(({ specifier, room, target }) => specifier.startsWith('.') && room !== target)
      .filter(({ room, target }) => target === undefined || !allows(ROOMS[room] ?? [], target))
      .map(({ file, specifier }) => `${file} imports ${specifier}`);
    expect(wrong).toEqual([]);
  });

  it('has no pair of rooms that import each other', () => {
    const pairs = new Set(imports.filter(({ target }) => target).map(({ room, target }) => `${room} ${target}`));
    const both = [...pairs].filter((pair) => {
      const [a, b] = pair.split(' ');
      return a !== b && pairs.has(`${b} ${a}`);
    });
    expect(both).toEqual([]);
  });

  it('writes relative imports with their ending', () => {
    expect(imports.filter(({ specifier }) => specifier.startsWith('.') && !/\.(ts|cts|json)$/.test(specifier))).toEqual(
      [],
    );
  });
});

describe('the core', () => {
  it('imports no module of Node', () => {
    expect(imports.filter(({ room, specifier }) => room.startsWith('core') && specifier.startsWith('node:'))).toEqual(
      [],
    );
  });

  it('has no clock, environment, chance or Buffer', () => {
    const impure =
      /\b(process\.|Buffer\b|Date\.now|new Date\(\)|Math\.random|performance\.now|setTimeout|globalThis|console\.)/;
    const wrong = sources
      .filter((file) => file.startsWith('src/core/'))
      .flatMap((file) =>
        codeLines(file)
          .filter((line) => impure.test(line))
          .map((line) => `${file}: ${line.trim()}`),
      );
    expect(wrong).toEqual([]);
  });
});

describe('packages', () => {
  const outside = imports.filter(({ specifier }) => !specifier.startsWith('.') && !specifier.startsWith('node:'));
  const nameOf = (specifier: string): string =>
    specifier
      .split('/')
      .slice(0, specifier.startsWith('@') ? 2 : 1)
      .join('/');
  const declared = Object.keys(readJson<{ dependencies: Record<string, string> }>('package.json').dependencies);

  it('are used only in the rooms that the table names', () => {
    const wrong = outside
      .filter(({ room, specifier }) => !allows(PACKAGES[nameOf(specifier)] ?? [], room))
      .map(({ file, specifier }) => `${file} imports ${specifier}`);
    expect(wrong).toEqual([]);
  });

  it('are declared when used', () => {
    expect(
      [...new Set(outside.map(({ specifier }) => nameOf(specifier)))].filter((name) => !declared.includes(name)),
    ).toEqual([]);
  });

  it('are explained in docs/dependencies.md', () => {
    const { dependencies, devDependencies } = readJson<Record<string, Record<string, string>>>('package.json');
    const text = readText('docs/dependencies.md');
    expect(
      Object.keys({ ...dependencies, ...devDependencies }).filter((name) => !text.includes(`| ${name} |`)),
    ).toEqual([]);
  });
});

describe('rooms of native-hooks', () => {
  it('includes only what the table allows', () => {
    const files = projectFiles('native-hooks').filter((path) => /\.[ch]$/.test(path));
    const wrong = files.flatMap((file) => {
      const room = file.split('/')[1] ?? '';
      const allowed = NATIVE_ROOMS[room];
      if (!allowed) return [];
      return [...readText(file).matchAll(/^#include "([^"]+)"/gm)]
        .map(([, path]) => path!)
        .filter((path) => path.includes('/') && !path.startsWith(`${room}/`) && !allowed.includes(path.split('/')[0]!))
        .map((path) => `${file} includes ${path}`);
    });
    expect(wrong).toEqual([]);
  });
});

function codeLines(file: string): string[] {
  return readText(file)
    .split('\n')
    .filter((line) => !/^\s*(\/\/|\*|\/\*)/.test(line))
    .map((line) => line.replace(/\/\/ .*$/, ''));
}
