import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A command to be timed in `cwd`: what a coding agent's tools do all day. */
export type Workload = {
  name: string;
  /** Arguments of time_tool: `ROUNDS CMD…` (one wall time a round) or `open|miss|spawn N X` (one figure). */
  args: readonly string[];
  cwd: string;
};

const FILES = 10_000;
const FILES_A_DIRECTORY = 100;
const C_FILES = 50;
const PACKAGES = 300;

/** Lays the inputs below `root` and returns the workloads over them. `tsc` is the compiler's entry point. */
export function prepareWorkloads(root: string, tsc: string): Workload[] {
  const many = join(root, 'many');
  layManyFiles(many);
  const repo = join(root, 'repo');
  layRepository(repo);
  const types = join(root, 'types');
  layTypeScript(types);
  const c = join(root, 'c');
  layCProject(c);
  const packages = join(root, 'packages');
  layPackages(packages);
  writeFileSync(join(root, 'one.txt'), 'one\n');
  return [
    { name: 'open+close, one file', args: ['open', '20000', join(root, 'one.txt')], cwd: root },
    { name: 'open of a missing file', args: ['miss', '20000', join(root, 'none.txt')], cwd: root },
    { name: '1000 spawns of true', args: ['spawn', '1000', '/bin/true'], cwd: root },
    { name: 'git status', args: ['1', 'git', 'status', '--short'], cwd: repo },
    { name: 'git log', args: ['1', 'git', 'log', '--stat'], cwd: repo },
    { name: `tar of ${FILES} files`, args: ['1', 'tar', 'cf', '/dev/null', '--exclude=nothing', '.'], cwd: many },
    {
      name: `find | xargs cat of ${FILES}`,
      args: ['1', 'sh', '-c', 'find . -type f -print0 | xargs -0 cat'],
      cwd: many,
    },
    { name: `make -j2 of ${C_FILES} C files`, args: ['1', 'make', '-B', '-s', '-j2'], cwd: c },
    { name: 'tsc', args: ['1', process.execPath, tsc, '-p', '.'], cwd: types },
    { name: 'npm ls', args: ['1', 'npm', 'ls', '--all'], cwd: packages },
    {
      name: 'python3 -c import …',
      args: ['1', 'python3', '-c', 'import asyncio, email, http.client, json, sqlite3, unittest, xml.dom'],
      cwd: root,
    },
    { name: 'node -e 0', args: ['1', process.execPath, '-e', '0'], cwd: root },
  ];
}

function layManyFiles(root: string): void {
  for (let i = 0; i < FILES; i++) {
    const directory = join(root, `d${Math.floor(i / FILES_A_DIRECTORY)}`);
    if (i % FILES_A_DIRECTORY === 0) mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, `f${i}.txt`), `file ${i}\n`.repeat(20));
  }
}

function layRepository(root: string): void {
  mkdirSync(root, { recursive: true });
  const git = (...args: string[]): void => {
    execFileSync('git', ['-c', 'user.name=Bench', '-c', 'user.email=bench@example.invalid', ...args], { cwd: root });
  };
  git('init', '-q');
  for (let commit = 0; commit < 20; commit++) {
    for (let i = 0; i < 100; i++) {
      mkdirSync(join(root, `p${i % 40}`), { recursive: true });
      writeFileSync(join(root, `p${i % 40}`, `s${commit}-${i}.txt`), `${commit} ${i}\n`.repeat(10));
    }
    git('add', '-A');
    git('commit', '-q', '-m', `change ${commit}`);
  }
}

function layTypeScript(root: string): void {
  mkdirSync(join(root, 'src'), { recursive: true });
  for (let i = 0; i < 200; i++) {
    const from = i === 0 ? '' : `import { f${i - 1} } from './m${i - 1}.js';\n`;
    const body = i === 0 ? 'return n;' : `return f${i - 1}(n) + ${i};`;
    writeFileSync(join(root, 'src', `m${i}.ts`), `${from}export function f${i}(n: number): number { ${body} }\n`);
  }
  const compilerOptions = {
    strict: true,
    module: 'nodenext',
    target: 'es2022',
    outDir: 'out',
    rootDir: 'src',
    types: [],
  };
  writeFileSync(join(root, 'package.json'), '{"type":"module"}\n');
  writeFileSync(join(root, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['src'] }));
}

/** What `npm ls` walks: installed packages that need one another. */
function layPackages(root: string): void {
  const names = Array.from({ length: PACKAGES }, (_, i) => `p${i}`);
  const manifest = (name: string, needs: readonly string[]): string =>
    JSON.stringify({ name, version: '1.0.0', dependencies: Object.fromEntries(needs.map((need) => [need, '1.0.0'])) });
  names.forEach((name, i) => {
    mkdirSync(join(root, 'node_modules', name), { recursive: true });
    writeFileSync(join(root, 'node_modules', name, 'package.json'), manifest(name, names.slice(i + 1, i + 4)));
  });
  writeFileSync(join(root, 'package.json'), manifest('bench', names));
}

function layCProject(root: string): void {
  mkdirSync(root, { recursive: true });
  const objects: string[] = [];
  for (let i = 0; i < C_FILES; i++) {
    writeFileSync(join(root, `u${i}.c`), `#include <stdio.h>\n#include <stdlib.h>\nint u${i}(void) { return ${i}; }\n`);
    objects.push(`u${i}.o`);
  }
  writeFileSync(join(root, 'Makefile'), `all: ${objects.join(' ')}\n`);
}
