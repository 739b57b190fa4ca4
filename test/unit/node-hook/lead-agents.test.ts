import { describe, expect, it } from 'vitest';
import { leadAgents } from '../../../src/node-hook/lead-agents.ts';
import { proxiesOf } from '../../../src/node-hook/proxies.ts';

/** What the agent itself is asked for, once it is led. */
function led(host: string): { path: string; host: string } {
  const asked: { path: string; host: string }[] = [];
  class Agent {
    addRequest(request: { path: string }, options: { host: string }): void {
      asked.push({ path: request.path, host: options.host });
    }
  }
  const globalAgent = new Agent();
  const proxies = proxiesOf({ http_proxy: 'http://127.0.0.1:3128' });
  leadAgents({ Agent, globalAgent } as never, proxies!, () => undefined);
  globalAgent.addRequest({ path: '/x', method: 'GET', _header: null } as never, { host, port: 80 } as never);
  return asked[0]!;
}

describe('agents that are led to the proxy', () => {
  it.each(['example.org', 'a_b.example', '[::1]', 'fe80::1%eth0'])('ask it for the whole address of %s', (host) => {
    const name = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
    expect(led(host)).toEqual({ path: `http://${name}/x`, host: '127.0.0.1' });
  });

  it.each(['a b', 'a\r\nX-More: 1', 'a/b', 'u@a', 'a?', 'a#', 'ä'])(
    'leave %j alone, which is no name of a host',
    (host) => {
      expect(led(host)).toEqual({ path: '/x', host });
    },
  );
});
