/** Where a run's requests go: what its environment says when the program starts. */
export type Proxies = { http: ProxyAddress | undefined; https: ProxyAddress | undefined; bypass: readonly string[] };
export type ProxyAddress = { host: string; port: number };

/** Undefined when the environment names no proxy of this machine, as a run's does. */
export function proxiesOf(env: NodeJS.ProcessEnv): Proxies | undefined {
  const http = proxyAt(env['http_proxy'] ?? env['HTTP_PROXY']);
  const https = proxyAt(env['https_proxy'] ?? env['HTTPS_PROXY']);
  if (!http && !https) return undefined;
  const bypass = (env['no_proxy'] ?? env['NO_PROXY'] ?? '')
    .toLowerCase()
    .split(/[\s,]+/)
    .filter(Boolean);
  return { http, https, bypass };
}

/** Whether `no_proxy` names the destination: `host`, `.suffix`, `*.suffix`, each with or without a port, or `*`. */
export function isBypassed({ bypass }: Proxies, host: string, port: number): boolean {
  const name = host.toLowerCase().replace(/^\[|\]$/g, '');
  return bypass.some((entry) => {
    const [, pattern = '', only] = /^(\[[^\]]*\]|[^:]*|.*:.*:.*?)(?::(\d+))?$/.exec(entry) ?? [];
    if (only !== undefined && Number(only) !== port) return false;
    const wanted = pattern.replace(/^\[|\]$/g, '').replace(/^\*/, '');
    return (
      entry === '*' ||
      wanted === name ||
      (wanted.startsWith('.') && (name.endsWith(wanted) || name === wanted.slice(1)))
    );
  });
}

function proxyAt(url: string | undefined): ProxyAddress | undefined {
  const [, host, port] = /^http:\/\/(127\.0\.0\.1|localhost|\[::1\]):(\d{1,5})\/?$/.exec(url ?? '') ?? [];
  return host === undefined ? undefined : { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}
