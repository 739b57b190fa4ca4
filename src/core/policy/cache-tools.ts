/**
 * How a tool's cache is used: `shared` is the user's own, as if nobody had spoken; `workspace` a directory that the runs in one workspace
 * share; `private` one of the run, gone with it. The number says which is the stricter.
 */
export const CACHE_USES = { shared: 0, workspace: 1, private: 2 } as const;
export type CacheUse = keyof typeof CACHE_USES;

/**
 * Variables that move a tool's cache, with the place of each beneath the tool's directory. Taken from the tools' own documentation: config of npm
 * and pnpm, settings of yarn (1 and 4), pip, uv, poetry, `go help environment`, The Cargo Book, Gradle, Maven 3.9, pre-commit, Playwright, ccache.
 */
export const CACHE_TOOLS = {
  npm: { npm_config_cache: '' },
  pnpm: {
    npm_config_store_dir: '/store',
    npm_config_cache_dir: '/cache',
    pnpm_config_store_dir: '/store',
    pnpm_config_cache_dir: '/cache',
  },
  yarn: { YARN_CACHE_FOLDER: '/cache', YARN_GLOBAL_FOLDER: '/berry' },
  bun: { BUN_INSTALL_CACHE_DIR: '' },
  deno: { DENO_DIR: '' },
  corepack: { COREPACK_HOME: '' },
  'node-gyp': { npm_config_devdir: '' },
  pip: { PIP_CACHE_DIR: '' },
  uv: { UV_CACHE_DIR: '' },
  poetry: { POETRY_CACHE_DIR: '' },
  'pre-commit': { PRE_COMMIT_HOME: '' },
  go: { GOCACHE: '/build', GOMODCACHE: '/mod' },
  cargo: { CARGO_HOME: '' },
  gradle: { GRADLE_USER_HOME: '' },
  maven: { MAVEN_ARGS: '' },
  nuget: { NUGET_PACKAGES: '/packages', NUGET_HTTP_CACHE_PATH: '/http' },
  composer: { COMPOSER_CACHE_DIR: '' },
  playwright: { PLAYWRIGHT_BROWSERS_PATH: '' },
  puppeteer: { PUPPETEER_CACHE_DIR: '' },
  cypress: { CYPRESS_CACHE_FOLDER: '' },
  ccache: { CCACHE_DIR: '' },
  sccache: { SCCACHE_DIR: '' },
} as const satisfies Readonly<Record<string, Readonly<Record<string, string>>>>;
export type CacheTool = keyof typeof CACHE_TOOLS;

/** The variables that lead a tool to `directory`. */
export function cacheVariables(tool: CacheTool, directory: string): Record<string, string> {
  // Maven has no variable for the place itself, but one for arguments.
  if (tool === 'maven') return { MAVEN_ARGS: `-Dmaven.repo.local=${directory}` };
  const places = Object.entries<string>(CACHE_TOOLS[tool]);
  return Object.fromEntries(places.map(([name, below]) => [name, `${directory}${below}`]));
}
