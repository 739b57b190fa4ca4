/** Programs of Node to try the hook with: the one that runs the tests, and those that GATEKEEPER_TEST_NODES lists, separated by colons. */
export const NODES: readonly string[] = [
  process.execPath,
  ...(process.env['GATEKEEPER_TEST_NODES'] ?? '').split(':').filter((path) => path !== ''),
];
