/** Variables that the agent gets: they make well-behaved programs use the proxy. What decides is the kernel layer. */
export function agentVariables(run: string, proxyPort: number): Record<string, string> {
  const proxy = `http://127.0.0.1:${proxyPort}`;
  const local = 'localhost,127.0.0.1,::1';
  return {
    HTTP_PROXY: proxy,
    HTTPS_PROXY: proxy,
    ALL_PROXY: proxy,
    http_proxy: proxy,
    https_proxy: proxy,
    all_proxy: proxy,
    NO_PROXY: local,
    no_proxy: local,
    NODE_USE_ENV_PROXY: '1',
    GATEKEEPER_RUN: run,
  };
}

/**
 * Variables that the agent does not get: addresses of the user's other programs, which could be driven through them. Their sockets are denied
 * by policy as well; without the variable a program does not even try.
 */
export const WITHHELD_VARIABLES: readonly string[] = [
  'SSH_AUTH_SOCK',
  'SSH_AGENT_PID',
  'GPG_AGENT_INFO',
  'DBUS_SESSION_BUS_ADDRESS',
  'DBUS_SYSTEM_BUS_ADDRESS',
  'TMUX',
  'TMUX_PANE',
  'STY',
  'NVIM',
  'NVIM_LISTEN_ADDRESS',
  'KITTY_LISTEN_ON',
  'KITTY_PUBLIC_KEY',
  'WEZTERM_UNIX_SOCKET',
  'ALACRITTY_SOCKET',
  'EMACS_SERVER_FILE',
  'VSCODE_IPC_HOOK',
  'VSCODE_IPC_HOOK_CLI',
  'VSCODE_GIT_IPC_HANDLE',
  'VSCODE_GIT_ASKPASS_NODE',
  'VSCODE_GIT_ASKPASS_MAIN',
  'VSCODE_GIT_ASKPASS_EXTRA_ARGS',
  'VSCODE_INSPECTOR_OPTIONS',
  'GIT_ASKPASS',
  'SSH_ASKPASS',
  'GATEKEEPER_HOME',
];
