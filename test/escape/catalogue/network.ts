import type { WayOut } from '../catalogue.ts';

/** Ways to destinations that a rule denies. */
export const NETWORK: readonly WayOut[] = [
  { id: 'D01', title: 'connecting without the proxy' },
  { id: 'D02', title: 'datagrams, which carry their address with them' },
  { id: 'D03', title: 'connecting without connect: fast open' },
  { id: 'D04', title: 'other protocols on internet sockets' },
  { id: 'D05', title: 'spellings of an address' },
  { id: 'D06', title: 'addresses and sockets that change while connect goes on' },
  { id: 'D07', title: 'socket families beyond Unix and the internet' },
  { id: 'D08', title: 'Unix sockets of other programs, by path and by abstract name' },
  { id: 'D09', title: 'peers that take the supervisor for the program' },
  {
    id: 'D10',
    title: 'descriptors that come over a socket',
    tests: [{ file: 'escape/programs.test.ts', title: 'is not left behind by descriptors that the caller had open' }],
    notTried: 'a peer that a rule allows may hand over any descriptor: that is what the rule allows',
  },
  {
    id: 'D11',
    title: 'listening where others reach it, or where others listen',
    tests: [
      {
        file: 'unit/daemon/daemon.test.ts',
        title: 'listens where the runs of the earlier one connect to, and ends them when it cannot',
      },
    ],
  },
  {
    id: 'D12',
    title: 'a name for the proxy and another for the server behind it',
    notTried:
      'the host of a request inside TLS that no rule has inspected: a server that serves many names serves them all; and a name in TLS that is encrypted',
  },
  {
    id: 'D13',
    title: 'requests that two parsers read in two ways',
    tests: [
      {
        file: 'integration/egress-ambiguity.test.ts',
        title: 'lines that end in a bare LF never become a second request',
      },
      { file: 'integration/egress-http.test.ts', title: 'decides every request of a connection anew' },
      { file: 'integration/egress-upgrade.test.ts', title: 'turns an offer of h2c into the plain request' },
      {
        file: 'integration/egress-policy.test.ts',
        title:
          'a request that asks the origin to read another method or path matches no rule that loosens by them, and every stricter one',
      },
      {
        file: 'integration/egress-policy.test.ts',
        title: 'a rule that refuses paths holds for them in either case, one that allows them does not',
      },
    ],
  },
  {
    id: 'D14',
    title: 'host names that two parsers read in two ways',
    tests: [
      { file: 'integration/egress-spellings.test.ts', title: 'is refused unread: %j (%s)' },
      { file: 'integration/egress-spellings.test.ts', title: 'is one host however it is written: %j is %s' },
      {
        file: 'unit/core/egress/host-name.test.ts',
        title: 'writes only letters, digits, hyphens and single dots, and reads them back the same',
      },
    ],
  },
  {
    id: 'D15',
    title: 'names whose address changes after the check',
    tests: [
      {
        file: 'integration/egress-connect.test.ts',
        title: 'is not led to loopback by a name that answers differently the second time',
      },
    ],
  },
  { id: 'D16', title: 'metadata services and private ranges' },
  {
    id: 'D17',
    title: 'redirects',
    tests: [{ file: 'integration/egress-http.test.ts', title: 'does not follow redirects' }],
  },
  { id: 'D18', title: 'services of this machine' },
  {
    id: 'D19',
    title: 'the control interface, reached by a browser',
    tests: [{ file: 'unit/adapters/control-server/control-server.test.ts', title: 'changes nothing on GET' }],
    notTried: 'a browser itself: the control interface is a Unix socket, which no page reaches',
  },
  {
    id: 'D20',
    title: 'the proxy of another run',
    tests: [
      { file: 'integration/egress-attribution.test.ts', title: 'turns away what no supervisor announced' },
      { file: 'unit/daemon/daemon.test.ts', title: 'announces connections, each for one socket of its own port' },
      {
        file: 'escape/outbound.test.ts',
        title: 'gets no help from the proxy of another run, and nobody else gets any',
      },
    ],
  },
  {
    id: 'D21',
    title: 'changed proxy variables',
  },
  {
    id: 'D22',
    title: 'names as messages: DNS',
    tests: [
      {
        file: 'integration/egress-connect.test.ts',
        title: 'refuses a denied name before it is resolved, and says how to allow it',
      },
    ],
    notTried:
      'a name beneath a suffix that a rule allows, which carries what the program likes; and names that are asked for over HTTPS at a host that a rule allows',
  },
  {
    id: 'D23',
    title: 'sending data to a destination that is allowed',
    tests: [
      {
        file: 'escape/outbound.test.ts',
        title: 'that is allowed is asked for once, by the daemon, and what is sent to it is counted',
      },
    ],
    notTried: "what an allowed destination does with what it is given is the rule's matter, and is recorded",
  },
  {
    id: 'D24',
    title: 'an empty list that means everything',
    tests: [{ file: 'unit/core/policy/parse.test.ts', title: 'an empty list as nothing' }],
  },
  {
    id: 'D25',
    title: 'exhausting the proxy',
    tests: [
      { file: 'integration/egress-ambiguity.test.ts', title: 'has a bounded number of exchanges under way' },
      { file: 'integration/egress-ambiguity.test.ts', title: 'is closed when its headers do not come' },
      { file: 'integration/egress-attribution.test.ts', title: 'bounds the sockets of one run' },
      {
        file: 'escape/outbound.test.ts',
        title: 'is not reached by a thousand connections, for which no other run waits',
      },
    ],
  },
  {
    id: 'D26',
    title: 'network namespaces and what they connect to',
  },
];
