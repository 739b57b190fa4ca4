import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { ERRORS } from '../../src/core/errors/catalogue.ts';
import { VERSION } from '../../src/core/version.ts';
import { projectFiles, ROOT, readJson, readText } from './project-files.ts';

const files = projectFiles();
const text = files.filter(
  (path) =>
    /\.(ts|mjs|c|h|S|md|json|ya?ml|bash|py)$|^(scripts|\.ci)\/[^.]+$/.test(path) && path !== 'package-lock.json',
);
const isGenerated = (path: string): boolean => /\.gen\.(h|ts)$/.test(path);

describe('files', () => {
  it.each([
    ['TypeScript', /^(src|scripts|test\/support)\/.*\.ts$/, 250],
    ['C', /^native-hooks\/(?!test\/).*\.[ch]$/, 400],
    // Tables of rows grow; what a test does should not.
    ['tests', /^(test|native-hooks\/test)\/(?!support\/).*\.(ts|[ch])$/, 500],
  ])('of %s are short enough to be one concept', (_name, ending, most) => {
    const long = files
      .filter((path) => ending.test(path) && !isGenerated(path) && !TABLES.has(path))
      .map((path) => ({ path, lines: readText(path).split('\n').length - 1 }))
      .filter(({ lines }) => lines > most);
    expect(long).toEqual([]);
  });

  it('are called for what they hold', () => {
    expect(files.filter((path) => /(^|\/)(utils?|helpers?|types|misc|common|managers?)\.(ts|c|h)$/.test(path))).toEqual(
      [],
    );
  });

  it('end with one newline and have no trailing blanks', () => {
    const wrong = text.filter(
      (path) => !isGenerated(path) && (!/[^\n]\n$/.test(readText(path)) || /[ \t]\n/.test(readText(path))),
    );
    expect(wrong).toEqual([]);
  });

  it('that are generated are fresh', () => {
    execFileSync(process.execPath, ['--import', 'tsx', 'scripts/generate.ts', '--check'], { cwd: ROOT, stdio: 'pipe' });
  });
});

describe('texts', () => {
  it('name no place and no number of the workplace', () => {
    const wrong = text
      // Policies and their cases name homes of all kinds.
      .filter((path) => path !== 'test/repo/shape.test.ts' && !path.startsWith('policies/'))
      .flatMap((path) =>
        readText(path)
          .split('\n')
          .filter((line) => WORKPLACE.some((word) => word.test(line)))
          .map((line) => `${path}: ${line.trim().slice(0, 120)}`),
      );
    expect(wrong).toEqual([]);
  });

  it('name no paper that is not here', () => {
    const names = new Set(files.map((path) => path.split('/').at(-1)));
    // Policies, and the test of the presets, name the files of other products.
    const wrong = text
      .filter((path) => !path.startsWith('policies/') && path !== 'test/golden/presets.test.ts')
      .flatMap((path) =>
        [...readText(path).matchAll(/\b[A-Z]{4,}\.md\b/g)]
          .filter(([name]) => !names.has(name))
          .map(([name]) => `${path}: ${name}`),
      );
    expect(wrong).toEqual([]);
  });

  it('leave nothing for later without saying so in an issue', () => {
    const wrong = text.filter(
      (path) => path !== 'test/repo/shape.test.ts' && /\b(TODO|FIXME|XXX|HACK)\b/.test(readText(path)),
    );
    expect(wrong).toEqual([]);
  });
});

describe('tests', () => {
  it('are neither singled out nor skipped, but for the listed', () => {
    const marked = files
      .filter((path) => /^test\/.*\.ts$/.test(path) && path !== 'test/repo/shape.test.ts')
      .flatMap((path) =>
        [...readText(path).matchAll(/\b(?:it|test|describe)\.(only|skip|todo|fails|skipIf|runIf)\b/g)].map(
          ([, mark]) => `${path} ${mark}`,
        ),
      );
    expect(marked.filter((entry) => !Object.hasOwn(ALLOWED_SKIPS, entry))).toEqual([]);
  });
});

describe('the package', () => {
  const manifest = readJson<{
    version: string;
    dependencies: Record<string, string>;
    devDependencies: Record<string, string>;
  }>('package.json');
  const lock = readJson<{
    packages: Record<string, { version?: string; dependencies?: Record<string, string>; resolved?: string }>;
  }>('package-lock.json');

  it('has one version', () => {
    expect(manifest.version).toBe(VERSION);
    expect(lock.packages['']?.version).toBe(VERSION);
    expect(readText('native-hooks/supervise/hello.h')).toContain(`#define GK_VERSION "${VERSION}"`);
  });

  it('pins every dependency exactly, as the lock file has it', () => {
    const wanted = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
    expect(wanted.filter(([name, version]) => lock.packages[`node_modules/${name}`]?.version !== version)).toEqual([]);
  });

  it('has no registry address in the lock file', () => {
    expect(Object.values(lock.packages).filter(({ resolved }) => resolved !== undefined)).toEqual([]);
  });

  it('runs nothing at installation', () => {
    const { scripts } = readJson<{ scripts: Record<string, string> }>('package.json');
    expect(Object.keys(scripts).filter((name) => /^(pre|post)?install$|^prepare$/.test(name))).toEqual([]);
  });
});

describe('docs/errors.md', () => {
  const documented = [...readText('docs/errors.md').matchAll(/^## (GK_[A-Z_]+)$/gm)].map(([, code]) => code!);

  it('documents every error of the catalogue, and no other', () => {
    expect(documented).toEqual(Object.keys(ERRORS));
  });

  it.each(Object.entries(ERRORS))('says of %s what the catalogue says', (code, entry) => {
    const section = readText('docs/errors.md').split(`## ${code}\n`)[1]?.split('\n## ')[0] ?? '';
    const flat = section.replace(/\s+/g, ' ');
    for (const part of [entry.title, entry.cause, entry.remedy, `exit ${entry.exit}`, `HTTP ${entry.http}`])
      expect(flat).toContain(part);
  });
});

/** Tables that are one concept however long they get. */
const TABLES = new Set(['src/core/errors/catalogue.ts', 'src/core/kernel/syscalls.ts']);

/** `file mark` → why that test cannot run everywhere. */
const ALLOWED_SKIPS: Readonly<Record<string, string>> = {
  'test/escape/mounts.test.ts runIf': 'mounts can be made by root alone',
  'test/unit/adapters/audit-settings/read-settings.test.ts runIf': 'files are given away by root alone',
  'test/compat/python.test.ts skipIf': 'distributions leave the tests out of the interpreter',
  'test/escape/bounds.test.ts runIf': 'a file server that does not answer can be mounted by root alone',
  'test/integration/hook-library.test.ts skipIf': 'not every machine can compile for another C library',
  'test/integration/clients.test.ts skipIf': 'user namespaces are not allowed to everybody',
  'test/escape/outbound.test.ts skipIf': 'user namespaces are not allowed to everybody',
  'test/integration/anchors-journal.test.ts skipIf':
    'not every machine has systemd, and lets its users make namespaces',
  'test/integration/names.test.ts runIf': 'files of the system can be mounted over by root alone',
  'test/integration/redirect.test.ts runIf': 'a network namespace can be made by root alone',
  'test/integration/supervision.test.ts runIf': 'a small file system for the full disk can be mounted by root alone',
  'test/integration/log-failure.test.ts skipIf': 'a small file system for the full disk cannot be mounted everywhere',
};

/** Paths of one machine, addresses of a registry, numbers of a tracker, and papers that are not part of the project. A to E number the ways out. */
const WORKPLACE = [
  /(^|[\s'"`(=])\/(w[o]rk|ro[o]t)\//,
  /https?:\/\/registry\./,
  /\b(issue|session|ticket) #?\d+\b/i,
  /\b(?!X11)[FGX]\d\d\b(?=[).,;: ]|$)/,
];
