/** Names under which programs of the user listen, and the way out that each stands for. What answers here is a listener of the suite. */
export const SERVICES = {
  bus: 'C08',
  'systemd-private': 'C08',
  'docker.sock': 'C09',
  'libvirt-sock': 'C09',
  'screen.1': 'C10',
  'nvim.1.0': 'C10',
  'vscode-ipc.sock': 'C10',
  X0: 'C11',
  'wayland-0': 'C11',
  'pipewire-0': 'C11',
  'io.systemd.Resolve': 'D22',
  nscd: 'D22',
  'S.gpg-agent': 'C12',
  'agent.1': 'C12',
} as const satisfies Record<string, string>;
