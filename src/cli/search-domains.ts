import { readFileSync } from 'node:fs';

/** What resolvers of this machine append to names (resolv.conf(5)): the last of its `search` and `domain` lines counts. */
export function searchDomains(file = '/etc/resolv.conf'): string[] {
  try {
    const lines = readFileSync(file, 'utf8').split('\n');
    const last = lines.findLast((line) => /^(search|domain)\s/.test(line));
    return (
      last
        ?.trim()
        .split(/\s+/)
        .slice(1)
        .filter((domain) => domain !== '.') ?? []
    );
  } catch {
    return [];
  }
}
