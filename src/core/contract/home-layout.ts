/** Where gatekeeper keeps its files. Pure: the caller passes what it read from the environment and the password database. */
export type HomeInput = {
  /** Home directory of the password database, never of $HOME, which the caller's caller may have changed. */
  passwdHome: string;
  uid: number;
  env: {
    GATEKEEPER_HOME?: string | undefined;
    XDG_CONFIG_HOME?: string | undefined;
    XDG_STATE_HOME?: string | undefined;
    XDG_CACHE_HOME?: string | undefined;
    XDG_RUNTIME_DIR?: string | undefined;
  };
};

export type HomeLayout = {
  config: string;
  /** The user's own policy; the preset `default` stands in while it does not exist. */
  userPolicy: string;
  systemPolicyDir: string;
  /** How the audit log is kept. */
  auditSettings: string;
  /** Checkpoints of the log, away from it. */
  anchorFile: string;
  /** Fingerprints of the keys that have signed the log. */
  pinFile: string;
  state: string;
  audit: string;
  keys: string;
  runs: string;
  images: string;
  /** What runs load into their processes. */
  hooks: string;
  /** Which files of projects the user trusts. */
  trust: string;
  /** What people granted of what rules ask. */
  grants: string;
  /** Those that the log has told of. */
  grantBook: string;
  /** Cache directories that runs get in place of the user's own. */
  caches: string;
  runtime: string;
  controlSocket: string;
  controlToken: string;
  supervisorSocket: string;
  daemonLock: string;
  daemonLog: string;
};

/** GATEKEEPER_HOME puts everything beneath one directory; else the XDG base directories (freedesktop.org, 0.8) apply. */
export function homeLayout({ passwdHome, env }: HomeInput): HomeLayout {
  const own = absolute(env.GATEKEEPER_HOME);
  const config = own ? `${own}/config` : `${absolute(env.XDG_CONFIG_HOME) ?? `${passwdHome}/.config`}/gatekeeper`;
  const state = own ? `${own}/state` : `${absolute(env.XDG_STATE_HOME) ?? `${passwdHome}/.local/state`}/gatekeeper`;
  const runtimeBase = absolute(env.XDG_RUNTIME_DIR);
  const runtime = own ? `${own}/run` : runtimeBase ? `${runtimeBase}/gatekeeper` : `${state}/run`;
  return {
    config,
    userPolicy: `${config}/policy.yaml`,
    systemPolicyDir: '/etc/gatekeeper',
    auditSettings: `${config}/audit.yaml`,
    anchorFile: `${config}/audit.anchor`,
    pinFile: `${config}/audit.pin`,
    state,
    audit: `${state}/audit`,
    keys: `${state}/keys`,
    runs: `${state}/runs`,
    images: `${state}/images`,
    hooks: `${state}/hooks`,
    trust: `${state}/trust.json`,
    grants: `${state}/grants.json`,
    grantBook: `${state}/grants-told.json`,
    caches: own ? `${own}/caches` : `${absolute(env.XDG_CACHE_HOME) ?? `${passwdHome}/.cache`}/gatekeeper`,
    runtime,
    controlSocket: `${runtime}/control.sock`,
    controlToken: `${runtime}/control.token`,
    supervisorSocket: `${runtime}/supervisor.sock`,
    daemonLock: `${runtime}/daemon.lock`,
    daemonLog: `${state}/daemon.log`,
  };
}

/** XDG: a relative path is to be ignored. */
function absolute(path: string | undefined): string | undefined {
  return path?.startsWith('/') ? path.replace(/\/+$/, '') || '/' : undefined;
}
