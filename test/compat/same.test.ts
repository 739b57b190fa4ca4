import { isUtf8 } from 'node:buffer';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { inside, outside } from '../support/run-inside.ts';
import { type Sandbox, useSandbox } from '../support/sandbox.ts';
import { COPIES } from './copies.ts';
import { GIT } from './git.ts';
import { BUILDERS, PROCESSES, RUNTIMES } from './programs.ts';
import { type CompatRow, SHELL, TOOLS } from './row.ts';
import { TOOLCHAINS } from './toolchains.ts';

describe('the same program does the same inside as outside', () => {
  const sandbox = useSandbox();
  // A run that has to wait for it says so.
  beforeAll(async () => {
    await sandbox.gatekeeper(['daemon', 'start']);
  });
  const rows = [...SHELL, ...TOOLS, ...GIT, ...COPIES, ...PROCESSES, ...BUILDERS, ...TOOLCHAINS, ...RUNTIMES];
  it.for(rows.map((row) => [row.title, row] as const))('%s', async ([title, row], { skip }) => {
    const missing = (row.needs ?? []).filter(
      (program) => spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0,
    );
    if (missing.length > 0) {
      console.warn(`skipped: ${title} (there is no ${missing.join(', ')})`);
      return skip();
    }
    lay(sandbox, row);
    const expected = report(row, await outside(sandbox, ['bash', '-c', row.script]));
    const expectedTree = treeOf(sandbox.project, row.ignoreFiles);
    lay(sandbox, row);
    const result = await inside(sandbox, ['bash', '-c', row.script], { policy: 'default', options: row.options });
    expect(report(row, withoutTold(row, result))).toEqual(expected);
    expect(treeOf(sandbox.project, row.ignoreFiles)).toEqual(expectedTree);
  });
});

function lay(sandbox: Sandbox, row: CompatRow): void {
  for (const name of readdirSync(sandbox.project))
    rmSync(join(sandbox.project, name), { recursive: true, force: true });
  if (row.fixture)
    execFileSync('bash', ['-c', row.fixture], { cwd: sandbox.project, stdio: ['ignore', 'ignore', 'inherit'] });
}

type Outcome = { stdout: string; stderr: string; status: number };

/** What a person would have seen: gatekeeper adds nothing of its own in a pipeline. */
function report(row: CompatRow, { stdout, stderr, status }: Outcome): Outcome {
  const clean = (text: string): string => text.replace(row.ignore ?? /(?!)/, '');
  return { stdout: clean(stdout), stderr: clean(stderr), status };
}

function withoutTold({ told = /(?!)/ }: CompatRow, { stdout, stderr, status }: Outcome): Outcome {
  return { stdout: stdout.replace(told, ''), stderr: stderr.replace(told, ''), status };
}

/** Short text as it is, so that a difference can be read; anything else by its hash. */
function contentOf(path: string): string {
  const content = readFileSync(path);
  return content.length < 500 && isUtf8(content)
    ? JSON.stringify(content.toString())
    : createHash('sha256').update(content).digest('hex');
}

/** Every name beneath `root` with its type, mode and content. */
function treeOf(root: string, ignore: RegExp | undefined): string[] {
  const lines: string[] = [];
  const visit = (relative: string): void => {
    const path = join(root, relative);
    const stat = lstatSync(path);
    const mode = (stat.mode & 0o7777).toString(8);
    if (stat.isDirectory()) {
      lines.push(`${relative}/ ${mode}`);
      for (const name of readdirSync(path).sort()) visit(join(relative, name));
    } else if (stat.isSymbolicLink()) lines.push(`${relative} -> ${readlinkSync(path)}`);
    else if (ignore?.test(relative)) lines.push(`${relative} ${mode}`);
    else if (stat.isFile()) lines.push(`${relative} ${mode} ${stat.nlink} ${contentOf(path)}`);
    else lines.push(`${relative} ${mode} special`);
  };
  visit('.');
  return lines;
}
