import type * as Channels from 'node:diagnostics_channel';
import { rememberRequest } from './failed-requests.ts';
import { type Proxies, proxiesOf } from './proxies.ts';

/**
 * Node before 22.21 and 24.5 takes no notice of proxy variables, and in a run names are reached in no other way: there the default agents of http and
 * https, and fetch, are led to the run's proxy. Newer versions do so themselves, because a run's environment asks for it. Nothing is
 * loaded before the program loads http or looks at fetch.
 */
export function leadRequests(env: NodeJS.ProcessEnv): void {
  const proxies = proxiesOf(env);
  const asked = env['NODE_USE_ENV_PROXY'] === '1';
  if (!proxies || (asked && leadsItself(process.versions.node))) return;
  whenHttpLoads(proxies);
  // With proxy support for fetch alone, its dispatcher is there already.
  if (globals[DISPATCHER] === undefined) whenFetchIsTaken(proxies);
}

function leadsItself(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 24 || (major === 24 && minor >= 5) || (major === 22 && minor >= 21);
}

/** Its channels are made while the client's half of http loads; the agents' half is there by then. */
function whenHttpLoads(proxies: Proxies): void {
  const channels = require('node:diagnostics_channel') as { channel: typeof Channels.channel };
  const own = channels.channel;
  channels.channel = function channel(name) {
    if (name === 'http.client.request.start') {
      channels.channel = own;
      unlessItFails(() => proxying().leadAgents(require('node:_http_agent'), proxies, rememberRequest));
    }
    return own(name);
  };
}

/** The function itself stays as it is; it is made to load what it uses before it is called for the first time. */
function whenFetchIsTaken(proxies: Proxies): void {
  const found = Object.getOwnPropertyDescriptor(globalThis, 'fetch');
  if (!found?.configurable || !('value' in found)) return;
  const restore = (value: unknown): void => {
    Object.defineProperty(globalThis, 'fetch', { ...found, value });
  };
  Object.defineProperty(globalThis, 'fetch', {
    configurable: true,
    enumerable: found.enumerable ?? true,
    get() {
      restore(found.value);
      unlessItFails(() => proxying().leadFetch(proxies, rememberRequest));
      return found.value;
    },
    set: restore,
  });
}

/** Without it requests fail as they would without a hook. */
function unlessItFails(act: () => void): void {
  try {
    act();
  } catch {}
}

const proxying = () => require('./proxying.cjs') as typeof import('./proxying.ts');

const globals = globalThis as Record<symbol, unknown>;
const DISPATCHER = Symbol.for('undici.globalDispatcher.1');
