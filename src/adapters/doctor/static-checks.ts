import { execFileSync } from 'node:child_process';
import { accessSync, constants, lstatSync, readFileSync, statSync } from 'node:fs';
import { arch, release } from 'node:os';
import { dirname } from 'node:path';
import type { HomeLayout } from '../../core/contract/home-layout.ts';
import { type Check, check } from './check.ts';

export type StaticInput = { layout: HomeLayout; supervisor: string; uid: number };

/** Everything that can be told without a daemon and without starting a run. */
export function staticChecks({ layout, supervisor, uid }: StaticInput): Check[] {
  return [
    nodeVersion(process.versions.node),
    architecture(),
    kernelRelease(release()),
    yama(readOr('/proc/sys/kernel/yama/ptrace_scope', '')),
    supervisorFile(supervisor, uid),
    ...kernelProbe(supervisor),
    ...[layout.config, layout.state, layout.runtime].map((path) => ownDirectory(path, uid)),
  ];
}

export function nodeVersion(version: string): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const ok = major > 20 || (major === 20 && minor >= 19);
  return check('system', 'Node.js', ok, version, 'install Node.js 20.19 or newer');
}

function architecture(): Check {
  return check(
    'system',
    'architecture',
    arch() === 'x64',
    arch(),
    'use an x86-64 machine: the system call table is written for it',
  );
}

export function kernelRelease(found: string): Check {
  const [major = 0, minor = 0] = found.split(/[.-]/).map(Number);
  const ok = major > 6 || (major === 6 && minor >= 12);
  return check('kernel', 'release', ok, found, 'upgrade to Linux 6.12 or newer');
}

/** At 2 and 3 not even a parent may read the memory of its children, which each decision needs. */
export function yama(scope: string): Check {
  const level = scope.trim();
  const detail = level === '' ? 'not in use' : `ptrace_scope ${level}`;
  return check('kernel', 'Yama', level === '' || Number(level) <= 1, detail, 'sysctl kernel.yama.ptrace_scope=1');
}

function supervisorFile(path: string, uid: number): Check {
  const remedy = 'build it: npm run build:native';
  try {
    accessSync(path, constants.X_OK);
    const { mode, uid: owner } = statSync(path);
    const safe = (mode & 0o022) === 0 && (owner === 0 || owner === uid);
    return check('files', 'supervisor', safe, safe ? path : `${path} can be changed by others`, `chmod go-w ${path}`);
  } catch (error) {
    return check('files', 'supervisor', false, `${path}: ${(error as NodeJS.ErrnoException).code}`, remedy);
  }
}

/** Asks the supervisor itself, which tries each feature: a version number tells little inside other sandboxes. */
function kernelProbe(supervisor: string): Check[] {
  const report = probeReport(supervisor);
  const abi = Number(report.get('landlock-abi') ?? 0);
  const missing = report.get('missing');
  return [
    check(
      'kernel',
      'Landlock',
      abi >= 6,
      abi === 0 ? 'not available' : `ABI ${abi}`,
      'use Linux 6.12 or newer, with landlock in lsm=',
    ),
    check(
      'kernel',
      'seccomp listener and descriptor calls',
      report.size > 0 && missing === undefined,
      missing ?? (report.size > 0 ? 'work' : 'the supervisor did not answer'),
      missing === undefined
        ? 'build it: npm run build:native'
        : 'see the reason; run outside of other sandboxes, or with --enforce=hook, which is weaker',
    ),
  ];
}

function probeReport(supervisor: string): Map<string, string> {
  let output = '';
  try {
    output = execFileSync(supervisor, ['--probe'], {
      encoding: 'utf8',
      timeout: 10_000,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch (error) {
    // Status 125 comes with a report as well.
    output = String((error as { stdout?: string }).stdout ?? '');
  }
  const lines = output.split('\n').filter((line) => line.includes('='));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}

/** Missing is fine, it is made at the first start; what is there has to be ours alone. */
export function ownDirectory(path: string, uid: number): Check {
  try {
    const { mode, uid: owner } = lstatSync(path);
    if (owner !== uid) return check('files', path, false, `owned by user ${owner}`, `chown -R ${uid} ${path}`);
    return check('files', path, (mode & 0o077) === 0, `mode 0${(mode & 0o777).toString(8)}`, `chmod 700 ${path}`);
  } catch {
    return check('files', path, canBeMade(path), 'not there yet', `make it: mkdir -p -m 700 ${path}`);
  }
}

function canBeMade(path: string): boolean {
  const parent = dirname(path);
  try {
    accessSync(parent, constants.W_OK | constants.X_OK);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' && parent !== path && canBeMade(parent);
  }
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return otherwise;
  }
}
