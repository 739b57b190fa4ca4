import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../find-program.ts';

/** An OpenSSH server for whoever runs the tests: what serves one connection on its standard streams, the key that it takes and the one it shows. */
export type SshServer = { argv: string[]; clientKey: string; hostKey: string };

export function makeSshServer(directory: string): SshServer | undefined {
  const sshd = findProgram('sshd');
  if (sshd === undefined) return undefined;
  const at = (name: string) => join(directory, name);
  for (const name of ['ssh-host', 'ssh-client'])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', at(name)]);
  const settings = [
    `HostKey ${at('ssh-host')}`,
    `AuthorizedKeysFile ${at('ssh-client.pub')}`,
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'PermitRootLogin yes',
    'PidFile none',
    'Subsystem sftp internal-sftp',
  ];
  writeFileSync(at('sshd_config'), `${settings.join('\n')}\n`);
  const serve = [sshd, '-i', '-e', '-f', at('sshd_config')];
  // For root it wants a directory that a service manager makes: here in a mount namespace of its own.
  const asRoot = [
    'unshare',
    '--mount',
    'sh',
    '-c',
    'mount -t tmpfs tmpfs /run && mkdir -m 755 /run/sshd && exec "$@"',
    'sh',
  ];
  return {
    argv: process.getuid?.() === 0 ? [...asRoot, ...serve] : serve,
    clientKey: readFileSync(at('ssh-client'), 'utf8'),
    hostKey: readFileSync(at('ssh-host.pub'), 'utf8').trim(),
  };
}
