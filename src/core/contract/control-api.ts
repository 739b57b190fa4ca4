/**
 * The control API: HTTP over the Unix socket `control.sock`, JSON bodies, `authorization: Bearer <token>` with the content of
 * `control.token`. Errors are `{ "error": { "code", "message", "where"?, "remedy"? } }` with a 4xx or 5xx status.
 */
export const API = {
  status: { method: 'GET', path: '/v1/status' },
  shutdown: { method: 'POST', path: '/v1/shutdown' },
  createRun: { method: 'POST', path: '/v1/runs' },
  listRuns: { method: 'GET', path: '/v1/runs' },
  giveSecrets: { method: 'POST', path: '/v1/runs/:id/secrets' },
  killRun: { method: 'POST', path: '/v1/runs/:id/kill' },
  rotateKey: { method: 'POST', path: '/v1/audit/rotate-key' },
} as const;

/** How a run may be called. */
export const RUN_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/** What decides for a run: filter and supervisor above Landlock; or, where a host forbids those, the preload hook alone. */
export const ENFORCE_LEVELS = ['kernel', 'hook'] as const;
export type EnforceLevel = (typeof ENFORCE_LEVELS)[number];

export type CreateRunRequest = {
  /** What the user typed after `--`; never empty. */
  argv: string[];
  /** Absolute working directory of the CLI; it is the run's workspace. */
  cwd: string;
  name?: string;
  /** Absolute path of a policy file or the name of a preset; takes the place of the user's policy. */
  policy?: string;
  /** Destinations of `--net-allow`, as in a network rule; a layer of their own. */
  netAllow?: string[];
  simulate?: boolean;
  enforce?: EnforceLevel;
  /** False: its processes load nothing of ours. */
  hooks?: boolean;
  /** The hooks explain nothing. */
  quietHook?: boolean;
  /** Absolute paths of the files of certificate authorities that the user's environment names. */
  caFiles?: string[];
  /** Seconds since the epoch and pid of the CLI, for `ps`. */
  clientPid: number;
};

/** What the CLI has to start: the supervisor with these arguments, then `--` and argv. */
export type CreateRunResponse = {
  id: string;
  name: string;
  /** Absolute path of gk-supervise and its arguments up to, not including, `--`. */
  supervisor: string;
  args: string[];
  /** Variables to set in the agent's environment, and what the policy says of the others (core/policy/environment). */
  env: Record<string, string>;
  envRules: { file: string; drop: string[]; pass: string[]; pierces: number[] }[];
  /** What its processes are to load. */
  hooks?: RunHooks;
  policyDigest: string;
  /** The variables whose values rules put into requests, with what messages call the first such rule; absent when there are none. */
  secrets?: { name: string; rule: string }[];
  /** Lines for the user's eyes on standard error, without a newline. */
  warnings: string[];
};

/** Values by name of the variable, for the daemon's memory alone. */
export type GiveSecretsRequest = { secrets: Record<string, string> };

/** What a header can carry (RFC 9110, 5.5); undefined when the value is one, else what is wrong. */
export function secretProblem(value: string): string | undefined {
  if (value.length > MOST_SECRET) return `is longer than ${MOST_SECRET} characters`;
  if (/[\r\n\0]/.test(value)) return 'has a line end or a null byte in it';
  return new RegExp(SECRET_VALUE).test(value)
    ? undefined
    : 'has characters that no header can carry, or blanks around it';
}

export const MOST_SECRET = 16_384;
export const SECRET_VALUE = '^[\\x21-\\x7e\\x80-\\xff](?:[\\t\\x20-\\x7e\\x80-\\xff]*[\\x21-\\x7e\\x80-\\xff])?$';

/** Absolute paths; each is absent when it cannot be loaded. */
export type RunHooks = { library?: string; script?: string };

export type RunSummary = {
  id: string;
  name: string;
  state: 'starting' | 'running' | 'ended' | 'lost';
  argv: string[];
  cwd: string;
  pid: number | null;
  startedAt: string;
  endedAt: string | null;
  /** Exit status as a shell would say it (128+n for a signal), when ended. */
  exitStatus: number | null;
  simulate: boolean;
  enforce: EnforceLevel;
  policyDigest: string;
  policyName: string;
  /** What --policy named; absent under the user's own policy. */
  policy?: string;
  denied: number;
  /** `denied` by action, for the summary at the end. */
  deniedByAction?: Record<string, number>;
  /** Set while the policy on disk is broken and the last good one is in force. */
  policyError?: string;
};

/** Answer of listRuns: every run that the daemon knows, the ended ones of its lifetime included, oldest first. */
export type ListRunsResponse = { runs: RunSummary[] };

export type DaemonStatus = {
  version: string;
  pid: number;
  startedAt: string;
  runs: number;
  proxyPort: number;
  transparentPort: number;
  auditEntries: number;
  auditHead: string;
  publicKeyFingerprint: string;
  policyError?: string;
  /** What was found when the audit log was opened: a line each, of entries that are gone or differ. */
  auditFindings?: string[];
  /** What happens while the audit log cannot be written. */
  auditOnFailure: 'halt' | 'degrade';
  /** Set while it cannot; with how to mend that, and how many receipts there are not so far. */
  auditError?: string;
  auditRemedy?: string;
  unrecorded?: number;
  /** Holders of the log's checkpoints that do not take them now, and why; absent while all do. */
  anchorErrors?: { holder: string; failure: string }[];
};

export type RotateKeyResponse = { fingerprint: string; fingerprintBefore: string };

/** `code` is one of core/errors; the others are the error's what, where and remedy. */
export type ApiErrorBody = { error: { code: string; message: string; where?: string; remedy?: string } };
