import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decidePath } from '../../src/core/engine/decide.ts';
import { PolicyImage } from '../../src/core/engine/image.ts';
import { compilePolicy } from '../../src/core/policy/compile.ts';

export type DecisionFigures = {
  rules: number;
  compileMs: number;
  image: number;
  c: Record<string, number>;
  tsPerSecond: number;
};

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const place = (path: string) => ({ lexical: bytes(path), real: bytes(path) });
const ROOTS = { home: place('/home/bench'), workspace: place('/home/bench/project'), tmp: place('/tmp') };
const EMPTY = 'version: 1\nname: nothing\npolicies:\n  - action: unix_socket\n    rules: []\n';

/** Decisions a second over the same 100-byte paths with ever larger policies: the cost must not grow with the rules. */
export function measureDecisions(root: string, scratch: string): DecisionFigures[] {
  const paths = Array.from({ length: 1000 }, (_, i) => pathOf(i));
  const pathFile = join(scratch, 'paths.txt');
  writeFileSync(pathFile, `${paths.join('\n')}\n`);
  return [10, 1000, 10_000].map((rules) => {
    const begin = process.hrtime.bigint();
    const { image } = compilePolicy(
      [
        { name: 'builtin:protection', layer: 'protection', text: EMPTY },
        { name: 'builtin:guards', layer: 'guards', text: EMPTY },
        { name: 'user:bench.yaml', layer: 'user', text: policyOf(rules) },
      ],
      ROOTS,
    );
    const compileMs = Number(process.hrtime.bigint() - begin) / 1e6;
    const file = join(scratch, `decisions-${rules}.gkimg`);
    writeFileSync(file, image);
    const tool = join(root, 'native-hooks/build/test/bench_tool');
    const c = JSON.parse(execFileSync(tool, [file, 'file_read', pathFile], { encoding: 'utf8' }));
    return { rules, compileMs, image: image.length, c, tsPerSecond: timeTypeScript(image, paths.map(bytes)) };
  });
}

/** A path of 100 bytes; each tenth meets a rule. */
function pathOf(i: number): string {
  const end = i % 10 === 0 ? `/module-${i}/key.x${i}` : `/module-${i}/source.ts`;
  const start = `/home/bench/project/packages/p${i % 100}/src/`;
  return `${start}${'deep/'.repeat(20)}`.slice(0, 100 - end.length) + end;
}

/** What people write: trees, floating names with a wildcard, files of the workspace. */
function policyOf(rules: number): string {
  const lines = ['version: 1', 'name: bench', 'policies:', '  - action: file_read', '    rules:'];
  for (let i = 0; i < rules; i++) {
    const pattern = [
      `/srv/data/customer-${i}/**`,
      `**/*.x${i}`,
      `./packages/p${i}/secret-*.json`,
      `~/archive/${i}/notes.md`,
    ][i % 4];
    lines.push(`      - { path: "${pattern}", effect: ${i % 3 === 0 ? 'deny' : 'allow'} }`);
  }
  return `${lines.join('\n')}\n`;
}

function timeTypeScript(image: Uint8Array, paths: readonly Uint8Array[]): number {
  const opened = PolicyImage.open(image, createHash('sha256').update(image).digest('hex'));
  let decisions = 0;
  const begin = process.hrtime.bigint();
  let elapsed = 0;
  while (elapsed < 1e9) {
    for (const path of paths) decidePath(opened, 'file_read', path);
    decisions += paths.length;
    elapsed = Number(process.hrtime.bigint() - begin);
  }
  return Math.round((decisions * 1e9) / elapsed);
}
