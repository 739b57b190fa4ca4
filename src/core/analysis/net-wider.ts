/** One pattern in place of several rules. It also covers what nobody tried, so it is for a person to choose. */
export type Wider = { destination: string; hosts: string[] };

/** Patterns for everything beneath a name that several hosts are directly beneath, on the ports that they share. */
export function everythingBeneath(rules: readonly { host: string; destinations: readonly string[] }[]): Wider[] {
  const groups = new Map<string, string[]>();
  for (const { host, destinations } of rules) {
    const parent = parentOf(host);
    if (parent === undefined) continue;
    for (const destination of destinations) {
      const wider = `*.${parent}${destination.slice(host.length)}`;
      groups.set(wider, [...(groups.get(wider) ?? []), host]);
    }
  }
  return [...groups]
    .filter(([, hosts]) => hosts.length > 1)
    .map(([destination, hosts]) => ({ destination, hosts: hosts.sort() }))
    .sort((one, other) => (one.destination < other.destination ? -1 : 1));
}

/** Undefined for names beneath which strangers register theirs, as far as their form tells (`example.co.uk`, `example.com`), and for addresses. */
function parentOf(host: string): string | undefined {
  const labels = host.split('.');
  const parent = labels.slice(1);
  if (host.startsWith('[') || /^\d+$/.test(labels.at(-1) ?? '') || parent.length < 2) return undefined;
  const [second = '', top = ''] = parent.slice(-2);
  const isRegistry = parent.length === 2 && top.length === 2 && (second.length <= 3 || SECOND_LEVEL.has(second));
  return isRegistry || SHARED.has(parent.join('.')) ? undefined : parent.join('.');
}

const SECOND_LEVEL: ReadonlySet<string> = new Set(['asso', 'gouv', 'info', 'name', 'nom', 'mobi', 'firm', 'store']);
/** Well-known places where everybody can have a name; the list is not complete, which is one reason why nothing of this is ever applied by itself. */
const SHARED: ReadonlySet<string> = new Set([
  'amazonaws.com',
  's3.amazonaws.com',
  'appspot.com',
  'azurewebsites.net',
  'blogspot.com',
  'cloudfront.net',
  'fly.dev',
  'github.io',
  'gitlab.io',
  'herokuapp.com',
  'netlify.app',
  'ngrok.io',
  'onrender.com',
  'pages.dev',
  'run.app',
  'vercel.app',
  'web.app',
  'workers.dev',
]);
