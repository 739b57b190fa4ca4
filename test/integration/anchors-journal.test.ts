import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GATEKEEPER } from '../support/sandbox.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/**
 * A real systemd-journald in namespaces of its own, whose /run and /var/log/journal are gone with it. Its processes see each other alone; nothing of the machine
 * is written.
 */
function withJournal(directory: string, script: string): { status: number | null; stdout: string; stderr: string } {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, 'script.sh');
  writeFileSync(path, `set -e\n${SET_UP}\n${script}\n`);
  const own = ['--mount', '--pid', '--fork', '--mount-proc', '--kill-child'];
  const argv = [...(process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']), ...own, 'sh', path];
  const env = { PATH: process.env['PATH'], HOME: directory, GATEKEEPER_HOME: join(directory, 'home') };
  return spawnSync('unshare', argv, { encoding: 'utf8', timeout: 60_000, cwd: directory, env });
}

const JOURNALD = ['/lib/systemd/systemd-journald', '/usr/lib/systemd/systemd-journald'].find((path) =>
  existsSync(path),
);
const SET_UP = `
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/journal /run/log/journal
if [ -d /var/log/journal ]; then mount -t tmpfs tmpfs /var/log/journal; fi
start_journal() {
  ${JOURNALD ?? 'false'} >/dev/null 2>&1 &
  journal=$!
  for attempt in $(seq 200); do [ -S /run/systemd/journal/stdout ] && return; sleep 0.05; done
  exit 9
}
start_journal
# Until the journal has taken in what it was given.
until_listed() {
  for attempt in $(seq 100); do gatekeeper audit anchors >listed || true; grep -q "journal .*$1" listed && break; sleep 0.05; done
  cat listed
}
gatekeeper() { '${process.execPath}' '${GATEKEEPER}' "$@"; }
`;
const refused = (): boolean =>
  JOURNALD === undefined || withJournal(temporaryDirectory(), 'journalctl --quiet -n 1').status !== 0;

describe.skipIf(refused())('the system journal', () => {
  it('holds checkpoints, and tells when everything else was put back to an earlier state', () => {
    const script = `
gatekeeper daemon start 2>&1
gatekeeper daemon stop
cp -a home earlier
gatekeeper daemon start 2>&1
until_listed agrees
gatekeeper daemon stop
gatekeeper audit verify
echo "sound: $?"
rm -rf home
mv earlier home
until_listed 'HAS MORE'
gatekeeper audit anchors || echo "anchors: $?"
gatekeeper audit verify && echo "not found" || echo "put back: $?"
`;
    const { stdout, stderr } = withJournal(temporaryDirectory(), script);
    expect(stdout, stderr).toMatch(/^system journal +[0-9]+ +\S+ \S+ +agrees$/m);
    expect(stdout).toContain('sound: 0');
    expect(stdout).toMatch(/^system journal .*HAS MORE: the log was cut or put back$/m);
    expect(stdout).toContain('anchors: 1');
    expect(stdout).toContain('put back: 1');
    expect(stdout).toMatch(/rolled-back|put back/);
  });
});
