import type { CreateRunRequest } from '../core/contract/control-api.ts';
import type { Hints } from '../core/policy/static-region.ts';

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

/** What the hooks of a run may do, and what they decide explanations by. The supervisor takes out the hints that do not hold on this machine. */
export function hookVariable(
  { simulate = false, quietHook = false }: Pick<CreateRunRequest, 'simulate' | 'quietHook'>,
  policy: { imagePath: string; hidesNames: boolean; hints: Hints },
): Record<string, string> {
  // What the kernel answers to a hint would tell hidden names from those that are not there.
  const hints = simulate || policy.hidesNames ? { files: false, directories: false } : policy.hints;
  const letters = [
    hints.files ? 'f' : '',
    hints.directories ? 'd' : '',
    policy.hidesNames ? 'h' : '',
    quietHook ? 'q' : '',
  ];
  return { GATEKEEPER_HOOK: `${letters.join('')}:${policy.imagePath}` };
}
