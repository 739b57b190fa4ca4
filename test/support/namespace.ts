import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Two machines of the test's own, joined by one cable: `machine`, where gatekeeper and its runs are, and `world`, where the servers are. They are network
 * namespaces: their addresses look public, and no packet leaves the pair. Files of the system that tell where names are asked for are mounted over, for
 * both and for nobody else.
 */
export type Machines = {
  /** Puts an argument vector into the one or the other, in a directory. */
  machine(directory: string, argv: readonly string[]): string[];
  world(directory: string, argv: readonly string[]): string[];
  close(): void;
};

export type MachinesOptions = {
  /** Where the files lie that are mounted. */
  directory: string;
  /** Addresses of the world, of any kind: whatever is not the machine's own is there. */
  addresses: readonly string[];
  /** Path → content: what both machines find there, in place of what this machine has. What it has not is left out. */
  files: Readonly<Record<string, string>>;
};

/** The machine's own addresses on the cable. */
export const MACHINE = { ipv4: '93.184.216.1', ipv6: '2606:2800:220::1' } as const;

/** Why machines cannot be made here; undefined when they can. An ordinary user needs user namespaces for it. */
export function machinesRefused(): string | undefined {
  const tried = spawnSync('unshare', [...OWN_NAMESPACES, 'sh', '-ec', TRIAL], { encoding: 'utf8' });
  return tried.status === 0 ? undefined : tried.stderr || String(tried.error);
}

export async function openMachines(options: MachinesOptions): Promise<Machines> {
  const holder = spawn('unshare', [...OWN_NAMESPACES, 'sh', '-c', setUp(options)], {
    // They last as long as this pipe, also when the tests are killed.
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const pids = await readPids(holder);
  // With a user namespace come all its capabilities, which the program that is started there loses unless it is root's.
  const enter = (pid: number) => [
    'nsenter',
    '--target',
    String(pid),
    ...(IS_ROOT ? [] : ['--user', '--preserve-credentials']),
  ];
  const into = (pid: number) => (directory: string, argv: readonly string[]) => [
    ...enter(pid),
    ...['--mount', '--net', '--', 'env', '-C', directory, ...argv],
  ];
  return { machine: into(pids.machine), world: into(pids.world), close: () => holder.stdin.destroy() };
}

function readPids(holder: ChildProcess): Promise<{ machine: number; world: number }> {
  return new Promise((done, fail) => {
    let said = '';
    holder.stderr?.on('data', (chunk) => (said += String(chunk)));
    holder.once('exit', () => fail(new Error(`the machines were not made: ${said}`)));
    let text = '';
    holder.stdout?.on('data', (chunk) => {
      text += String(chunk);
      const world = /^ready (\d+)\n/.exec(text)?.[1];
      if (world !== undefined && holder.pid !== undefined) done({ machine: holder.pid, world: Number(world) });
    });
  });
}

/** Of the shell that makes both and then waits for the end of its input. */
function setUp({ directory, addresses, files }: MachinesOptions): string {
  const mounts = Object.entries(files).map(([path, content], at) => {
    const source = join(directory, `mounted-${at}`);
    writeFileSync(source, content);
    return `if [ -e '${path}' ]; then mount --bind '${source}' '${realOf(path)}'; fi`;
  });
  mkdirSync(directory, { recursive: true });
  return `set -e
exec 3<&0
ip link set lo up
unshare --net cat <&3 >/dev/null 2>&1 &
world=$!
until [ "$(readlink /proc/$world/ns/net)" != "$(readlink /proc/$$/ns/net)" ]; do sleep 0.01; done
ip link add cable type veth peer name cable netns $world
${Object.values(MACHINE).map(addressOf).join('\n')}
ip link set cable up
nsenter --target $world --net sh -e <<'WORLD'
ip link set lo up
${addresses.map(addressOf).join('\n')}
ip link set cable up
# Of this namespace alone: servers there need no privileges for their ports.
echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start
WORLD
${addresses.map((address) => `ip route replace ${address} dev cable`).join('\n')}
${mounts.join('\n')}
echo "ready $world"
exec cat <&3 >/dev/null
`;
}

/** All are neighbours; nobody waits until an address is known to be nobody else's. */
const addressOf = (address: string): string =>
  address.includes(':') ? `ip address add ${address}/64 dev cable nodad` : `ip address add ${address}/24 dev cable`;

/** Mounts follow links anyway; what a dangling one would be mounted at is not there. */
function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return join(dirname(path), 'missing');
  }
}

/** Everything of the setting up that some machines refuse. */
const TRIAL = `
ip link add name a type veth peer name b
ip address add ${MACHINE.ipv6}/64 dev a nodad
echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start
mount -t tmpfs tmpfs /tmp
`;
const IS_ROOT = process.getuid?.() === 0;
const OWN_NAMESPACES = [...(IS_ROOT ? [] : ['--user', '--map-current-user', '--keep-caps']), '--mount', '--net', '--'];
