import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Check, check } from './check.ts';
import { EXPECTED, PROBE_POLICY, PROBE_SCRIPT, type ProbeName } from './probe.ts';

/** Starts the command line, as in `gatekeeper run OPTIONS -- COMMAND`: program and leading arguments. */
export type RunCommand = readonly string[];

/**
 * Real runs of a small program that tries what a policy allows and what it denies, first bare and then supervised. The bare run shows
 * that each attempt would succeed, so a refusal inside is the supervisor's.
 */
export async function liveChecks(run: RunCommand, name: string): Promise<Check[]> {
  const directory = mkdtempSync(join(tmpdir(), 'gatekeeper-doctor-'));
  const listener = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  try {
    await new Promise((done) => listener.once('listening', done));
    const { port } = listener.address() as { port: number };
    const project = layProject(directory);
    const policy = join(directory, 'policy.yaml');
    writeFileSync(policy, PROBE_POLICY);
    const probe = [process.execPath, join(project, 'probe.cjs'), String(port)];
    const outside = await attempt(probe, project);
    const inside = await attempt([...run, '--name', name, '--policy', policy, '--', ...probe], project);
    return judge(outside, inside);
  } finally {
    listener.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * What a run under the user's own policy opens without the supervisor being asked, or why nothing: as the supervisor itself says, which knows this
 * machine's mounts.
 */
export async function hintCheck(run: RunCommand, name: string): Promise<Check> {
  const { stderr, status } = await attempt([...run, '--verbose', '--name', name, '--', 'true'], process.cwd());
  const hints = /^gatekeeper: hints: (.*)$/m.exec(stderr)?.[1];
  const why = stderr.trim().split('\n').at(-1) || `ended with status ${status}`;
  return check('run', 'hints', hints !== undefined, hints ?? why, 'see the reason; run: gatekeeper policy check');
}

type Attempt = { results: Partial<Record<ProbeName, string>> | undefined; status: number | null; stderr: string };

function judge(outside: Attempt, inside: Attempt): Check[] {
  if (!inside.results) {
    const why = inside.stderr.trim().split('\n').at(-1) ?? '';
    return [
      check(
        'run',
        'supervised run',
        false,
        why || `ended with status ${inside.status}`,
        'see the reason; run: gatekeeper doctor --static',
      ),
    ];
  }
  const names = Object.keys(EXPECTED) as ProbeName[];
  return names.map((name) => {
    const { wanted, title } = EXPECTED[name];
    const bare = outside.results?.[name] ?? 'no answer';
    const found = inside.results?.[name] ?? 'no answer';
    if (bare !== 'ok')
      return check(
        'run',
        title,
        false,
        `fails outside as well: ${bare}`,
        'mend that first: it makes the probe worthless',
      );
    return check(
      'run',
      title,
      found === wanted,
      found,
      `expected ${wanted}; report it with the output of: gatekeeper audit tail`,
    );
  });
}

function layProject(directory: string): string {
  const project = join(directory, 'project');
  mkdirSync(project);
  writeFileSync(join(project, 'allowed.txt'), 'allowed\n');
  writeFileSync(join(project, 'denied.txt'), 'denied\n');
  writeFileSync(join(project, 'probe.cjs'), PROBE_SCRIPT);
  return project;
}

function attempt(argv: readonly string[], cwd: string): Promise<Attempt> {
  return new Promise((done) => {
    const child = spawn(argv[0]!, argv.slice(1), { cwd, stdio: ['ignore', 'pipe', 'pipe'], timeout: TIMEOUT_MS });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.once('error', (error) => done({ results: undefined, status: null, stderr: error.message }));
    child.once('close', (status) => done({ results: parseResults(stdout), status, stderr }));
  });
}

function parseResults(stdout: string): Attempt['results'] {
  try {
    return JSON.parse(stdout) as Attempt['results'];
  } catch {
    return undefined;
  }
}

const TIMEOUT_MS = 60_000;
