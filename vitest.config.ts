import { defineConfig } from 'vitest/config';

const suite = (name: string, dir: string, testTimeout: number) => ({
  test: { name, include: [`test/${dir}/**/*.test.ts`], testTimeout, hookTimeout: testTimeout },
});

/** One project a suite; suites that start real runs are serial, because they share two cores with what they start. */
export default defineConfig({
  test: {
    projects: [
      suite('unit', 'unit', 20_000),
      suite('golden', 'golden', 30_000),
      suite('property', 'property', 240_000),
      suite('repo', 'repo', 30_000),
      { ...suite('integration', 'integration', 120_000) },
      { ...suite('escape', 'escape', 180_000) },
      { ...suite('compat', 'compat', 300_000) },
    ],
  },
});
