import { defineConfig } from 'vitest/config';

/** Files of these share modules, and may: loading them anew for each file takes longer than most tests. */
const shared = { isolate: false };

/** What a daemon, its command line and the hooks in programs do, whoever starts them. */
const DAEMON = [
  'anchors',
  'client-hello',
  'command-line',
  'daemon',
  'egress-*',
  'evidence',
  'grants',
  'hook-delivery',
  'hook-library',
  'inspection',
  'inspection-hostile',
  'net',
  'node-hook',
  'node-hook-proxy',
  'odd-bytes',
  'policy-reload',
  'replay',
  'results',
].map((name) => `test/integration/${name}.test.ts`);

/** What races, what floods, and the table of techniques. */
const ALONE = ['techniques', 'bounds', 'spawn-race'].map((name) => `test/escape/${name}.test.ts`);

const suite = (
  name: string,
  dir: string,
  testTimeout: number,
  more: { isolate?: boolean; include?: string[]; exclude?: string[] } = {},
) => ({
  test: {
    name,
    include: [`test/${dir}/**/*.test.ts`],
    ...more,
    setupFiles: ['test/support/after-file.ts'],
    testTimeout,
    hookTimeout: testTimeout,
    // What is waited for comes late on a machine that is busy.
    expect: { poll: { timeout: 10_000 } },
  },
});

/** One project a suite. How many files of each are run at once is for scripts/test to say. */
export default defineConfig({
  test: {
    projects: [
      suite('unit', 'unit', 60_000, shared),
      suite('golden', 'golden', 60_000, shared),
      suite('property', 'property', 240_000, shared),
      suite('repo', 'repo', 60_000, shared),
      { ...suite('integration', 'integration', 120_000, { exclude: DAEMON }) },
      { ...suite('daemon', 'integration', 120_000, { include: DAEMON }) },
      { ...suite('evidence', 'evidence', 120_000) },
      { ...suite('escape-files', 'escape', 180_000, { exclude: ALONE }) },
      { ...suite('escape', 'escape', 180_000, { include: ALONE }) },
      { ...suite('compat', 'compat', 300_000) },
    ],
  },
});
