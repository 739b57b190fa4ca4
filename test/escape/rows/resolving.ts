import type { EscapeRow } from '../row.ts';

const write = { action: 'file_write', source: 'protection' } as const;
const NOT_SHOWN = { refusedHere: 'the file belongs to the system, and this row must not change it' } as const;
const NOTHING_SENT = { refusedHere: 'tests send nothing beyond loopback' } as const;

/** Ways to a resolver that is not the run's, and to the files that name the run's own. */
export const RESOLVING: readonly EscapeRow[] = [
  {
    covers: ['D22', 'D02'],
    title: 'a question to the resolver of this machine, as a datagram',
    technique: 'udp',
    args: ['127.0.0.53', '53'],
    outside: 'works',
    inside: 'EACCES',
    layer: 'filter',
  },
  {
    covers: ['D22', 'D18'],
    title: 'a question to the resolver of this machine, over TCP',
    technique: 'ask',
    args: ['127.0.0.53', '53'],
    outside: { refusedHere: 'not every machine has a resolver there' },
    // As bare, where nobody listens.
    inside: ['EACCES', 'ECONNREFUSED'],
    layer: 'supervisor',
    receipt: { action: 'network', destination: '127.0.0.53' },
  },
  {
    covers: ['D22'],
    title: 'a question to a name server of the network, over TCP',
    technique: 'ask',
    args: ['203.0.113.53', '53'],
    outside: NOTHING_SENT,
    inside: 'EACCES',
    layer: 'supervisor',
    receipt: { action: 'network', destination: '203.0.113.53' },
  },
  {
    covers: ['D22'],
    title: 'an address that stands for no name in this run',
    technique: 'ask',
    args: ['198.18.200.7', '443'],
    outside: NOTHING_SENT,
    inside: 'ECONNRESET',
    layer: 'policy',
    receipt: { action: 'network', destination: '198.18.200.7' },
  },
  ...(['fchmod-reader', 'futimens-reader', 'descriptor-upgrade', 'offered-open', 'offered-add'] as const).map(
    (technique) => ({
      covers: ['D22', 'B22'],
      title: `changing what the run is offered as its hosts: ${technique}`,
      technique,
      args: ['/etc/hosts'],
      outside: NOT_SHOWN,
      inside: technique === 'fchmod-reader' ? 'EPERM' : 'EACCES',
      layer: 'supervisor' as const,
      receipt: write,
    }),
  ),
  ...(
    [
      ['offered-remove', []],
      ['offered-move', []],
      ['offered-replace', ['{ok}']],
    ] as const
  ).map(([technique, more]) => ({
    covers: ['D22', 'B11'],
    title: `putting another in place of what names the run's resolver: ${technique}`,
    technique,
    args: ['/etc/resolv.conf', ...more],
    outside: NOT_SHOWN,
    inside: 'EACCES',
    layer: 'supervisor' as const,
    receipt: { action: technique === 'offered-replace' ? 'file_write' : 'file_delete', source: 'protection' },
  })),
];
