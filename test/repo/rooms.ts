/**
 * Which room may import which: the longest matching path names a file's room, `core/*` stands for every room beneath core. What is not listed
 * here is refused. ARCHITECTURE.md says what each room is for.
 */
export const ROOMS: Readonly<Record<string, readonly string[]>> = {
  // The version alone.
  core: [],
  'core/text': [],
  'core/wire': [],
  'core/kernel': ['core/wire'],
  'core/errors': ['core/text'],
  'core/contract': [],
  'core/egress': ['core/wire'],
  'core/dns': ['core/egress', 'core/text'],
  'core/policy': ['core/egress', 'core/text', 'core/wire'],
  'core/engine': ['core/egress', 'core/policy', 'core/wire'],
  'core/analysis': ['core/egress', 'core/engine', 'core/policy', 'core/wire'],
  'core/replay': ['core/audit', 'core/egress', 'core/engine', 'core/policy', 'core/wire'],
  'core/import': ['core/policy', 'core/wire'],
  // The reader of YAML that policies have too.
  'core/audit': ['core/kernel', 'core/policy', 'core/wire'],
  'core/export': ['core/audit', 'core/text'],

  // Files that must appear whole, locks, private directories: what several adapters need of the operating system.
  'adapters/process': ['core/*'],
  // Proofs for witnesses are made from the log's files.
  'adapters/anchors': ['core/*', 'adapters/audit-log', 'adapters/process'],
  'adapters/audit-settings': ['core/*', 'adapters/process'],
  // Keys are part of what a log says, and what is signed is checked where it is read.
  'adapters/audit-log': ['core/*', 'adapters/keys', 'adapters/process'],
  'adapters/cache-store': ['core/*', 'adapters/process'],
  'adapters/control-client': ['core/*', 'adapters/process'],
  'adapters/control-server': ['core/*', 'adapters/process'],
  'adapters/doctor': ['core/*', 'adapters/process'],
  'adapters/grant-store': ['core/*', 'adapters/process'],
  'adapters/hook-store': ['core/*', 'adapters/process'],
  'adapters/inspection': ['core/*', 'adapters/process'],
  'adapters/keys': ['core/*', 'adapters/process'],
  'adapters/otlp': ['core/*', 'adapters/process'],
  // Whether a project's file may loosen is part of reading it, and what was granted is read along with it.
  // The files that hold checkpoints are kept from runs.
  'adapters/policy-files': [
    'core/*',
    'adapters/audit-settings',
    'adapters/grant-store',
    'adapters/process',
    'adapters/trust-store',
  ],
  'adapters/proxy': ['core/*', 'adapters/process'],
  'adapters/supervisor': ['core/*', 'adapters/process'],
  'adapters/trust-store': ['core/*', 'adapters/process'],

  // What runs inside of programs: it brings everything along and knows nothing of the daemon.
  'node-hook': ['core/egress', 'core/engine', 'core/text', 'core/wire'],
  daemon: ['core', 'core/*', 'adapters/*'],
  cli: [
    'core',
    'core/*',
    'adapters/anchors',
    'adapters/audit-log',
    'adapters/audit-settings',
    'adapters/control-client',
    'adapters/doctor',
    'adapters/grant-store',
    'adapters/hook-store',
    'adapters/keys',
    'adapters/otlp',
    'adapters/policy-files',
    'adapters/process',
    'adapters/trust-store',
  ],
};

/** Which room may use which package; docs/dependencies.md says why. */
export const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  '@fastify/http-proxy': ['adapters/proxy'],
  chokidar: ['adapters/policy-files'],
  commander: ['cli'],
  fastify: ['adapters/control-server', 'adapters/proxy'],
  'ipaddr.js': ['core/egress'],
  picomatch: ['core/policy'],
  'sodium-native': ['adapters/audit-log', 'adapters/keys'],
  undici: ['adapters/proxy'],
  yaml: ['core/audit', 'core/policy', 'adapters/policy-files'],
};

/** The same for the directories of native-hooks and the headers that they include. */
export const NATIVE_ROOMS: Readonly<Record<string, readonly string[]>> = {
  // The generated dispatch table names the handlers' type.
  include: ['supervise'],
  base: [],
  wire: ['base', 'include'],
  image: ['base', 'include'],
  hook: ['base', 'image', 'include', 'wire'],
  sys: ['base', 'include'],
  supervise: ['base', 'include', 'image', 'sys', 'wire'],
  launch: ['base', 'include', 'image', 'supervise', 'sys', 'wire'],
};
