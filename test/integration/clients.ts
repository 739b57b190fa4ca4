import { NODES } from '../support/node-versions.ts';

/**
 * A program of everyday use that speaks to a server. `script` is text for bash that prints what the server at host `$1` says, and fails when it cannot.
 * It runs two directories beneath the project, in one of its own, as it is and once more without proxy variables; `$proxy` is host and port of
 * the run's proxy, empty where there is none.
 */
export type Client = {
  title: string;
  script: string;
  port: number;
  /** The program that the receipts name. */
  program: RegExp;
  /** How the proxy is asked; absent where the program knows none. */
  via?: 'connect' | 'http' | 'socks';
  /** It is told to use a proxy, and does nothing without. */
  only?: 'proxied';
  /** It asks for names by datagrams alone, which are refused: what the run's table of hosts does not tell it, it cannot ask. */
  asksNobody?: true;
  /** It takes so long that what is denied is tried in one way alone. */
  slow?: true;
  needs?: readonly string[];
};

const curl = 'curl -sSf --max-time 60';
const REQUEST = String.raw`printf 'GET /hello HTTP/1.0\r\nHost: %s\r\n\r\n' $1`;
/** What follows the head of the answer in the file `said`, with the status of the second program of the pipeline before. */
const ANSWER = `status=\${PIPESTATUS[1]}; grep -q '^HTTP/1.1 200 ' said && sed '1,/^\\r$/d' said && exit $status`;
export const CLIENTS: readonly Client[] = [
  { title: 'curl over https', script: `${curl} https://$1/hello`, port: 443, program: /curl/, via: 'connect' },
  { title: 'curl over http', script: `${curl} http://$1/hello`, port: 80, program: /curl/, via: 'http' },
  {
    title: 'curl of an event stream',
    script: `${curl} -N https://$1/events`,
    port: 443,
    program: /curl/,
    via: 'connect',
  },
  {
    title: 'curl sending four megabytes',
    script: `head -c 4000000 /dev/zero | ${curl} -T - https://$1/echo >said && sha256sum said`,
    port: 443,
    program: /curl/,
    via: 'connect',
  },
  {
    title: 'curl through SOCKS',
    script: `${curl} \${proxy:+--proxy socks5h://$proxy} https://$1/hello`,
    port: 443,
    program: /curl/,
    via: 'socks',
    only: 'proxied',
  },
  {
    title: 'wget over https',
    script: 'wget -qO- --tries=1 --timeout=60 --ca-certificate="$SSL_CERT_FILE" https://$1/hello',
    port: 443,
    program: /wget/,
    via: 'connect',
    needs: ['wget'],
  },
  {
    title: 'git over https: clone, push and ls-remote',
    script:
      'git clone -q https://$1/git/story.git copy && cd copy && git log --format=%s && git push -q origin HEAD:refs/heads/over-https && git ls-remote origin',
    port: 443,
    program: /git/,
    via: 'connect',
    needs: ['git'],
  },
  {
    title: 'git over http',
    script: 'git clone -q http://$1/git/story.git copy && cat copy/story',
    port: 80,
    program: /git/,
    via: 'http',
    needs: ['git'],
  },
  {
    title: 'npm install',
    slow: true,
    script: `npm install --silent --no-audit --no-fund --fetch-retries=0 --registry https://$1/npm/ --userconfig ./npmrc --cache ./cache demo >&2 && cat node_modules/demo/index.js`,
    port: 443,
    program: /node/,
    via: 'connect',
    needs: ['npm'],
  },
  {
    title: 'pip install',
    slow: true,
    script:
      'python3 ../../pip/pip install -q --disable-pip-version-check --retries 0 --isolated --no-cache-dir --no-deps --no-compile --cert "$PIP_CERT" --index-url https://$1/simple --target here demo && cat here/demo.py',
    port: 443,
    program: /python/,
    via: 'connect',
    needs: ['python3'],
  },
  ...NODES.map(
    (node, at): Client => ({
      title: `fetch and https of Node (${at})`,
      script: `'${node}' -e '
const get = (url) => new Promise((done, fail) => require("node:https").get(url, (r) => r.setEncoding("utf8").on("data", done)).on("error", fail));
(async () => {
  const answer = await fetch("https://'$1'/hello");
  if (!answer.ok) throw answer.status;
  console.log(await answer.text(), await get("https://'$1'/again"));
})().catch((error) => { console.error(error); process.exit(3); });'`,
      port: 443,
      program: /node/,
      via: 'connect',
    }),
  ),
  {
    title: 'a WebSocket of Node, which knows no proxy',
    script: `'${process.execPath}' --no-warnings --experimental-websocket -e '
const socket = new WebSocket("wss://'$1'/socket");
socket.onopen = () => socket.send("there and back");
socket.onmessage = ({ data }) => { console.log(data); socket.close(); };
socket.onerror = ({ error, message }) => { console.error(error ?? message); process.exit(3); };'`,
    port: 443,
    program: /node/,
  },
  {
    title: "Python's urllib",
    script: `python3 -c 'import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=60).read())' https://$1/hello`,
    port: 443,
    program: /python/,
    via: 'connect',
    needs: ['python3'],
  },
  {
    title: "Perl's HTTP::Tiny",
    script: `perl -MHTTP::Tiny -e '$r = HTTP::Tiny->new->get("http://$ARGV[0]/hello"); print $r->{content}; exit !$r->{success}' $1`,
    port: 80,
    program: /perl/,
    via: 'http',
    needs: ['perl'],
  },
  {
    title: "Node's own sockets and its second resolver",
    script: `'${process.execPath}' -e '
const [host] = process.argv.slice(1);
const failed = (error) => { console.error(error.message); process.exit(3); };
require("node:dns").promises.resolve4(host).then(([address]) => {
  for (const where of [host, address])
    require("node:net").connect(80, where, function () { this.end("GET /hello HTTP/1.0\\r\\nHost: any\\r\\n\\r\\n"); })
      .on("data", (data) => console.log(String(data).slice(-11))).on("error", failed);
}).catch(failed);' $1`,
    port: 80,
    program: /node/,
  },
  {
    title: 'openssl s_client',
    script: `${REQUEST} | openssl s_client \${proxy:+-proxy $proxy} -connect $1:443 -servername $1 -verify_return_error -quiet -ign_eof >said; ${ANSWER}`,
    port: 443,
    program: /openssl/,
    via: 'connect',
  },
  {
    title: 'ssh',
    script: `../../ssh-to $1 'echo on the other machine; cat' <<<through`,
    port: 22,
    program: /ssh|nc/,
    via: 'connect',
    needs: ['ssh', 'sshd', 'nc'],
  },
  {
    title: 'git over ssh',
    script: `GIT_SSH="$PWD/../../ssh-to" GIT_SSH_VARIANT=ssh git clone -q "ssh://$1$REPOSITORIES/story.git" copy && cat copy/story`,
    port: 22,
    program: /ssh|nc/,
    via: 'connect',
    needs: ['git', 'ssh', 'sshd', 'nc'],
  },
  {
    title: 'psql',
    script: `psql "host=$1 user=tester dbname=postgres connect_timeout=60" -XAtc 'select 6 * 7'`,
    port: 5432,
    program: /psql/,
    needs: ['psql', 'postgres', 'initdb'],
  },
  {
    title: "bash's own sockets",
    script: `exec 3<>/dev/tcp/$1/80 && ${REQUEST} >&3 && cat <&3 | cat >said; ${ANSWER}`,
    port: 80,
    program: /bash/,
  },
  {
    title: 'nc',
    script: `${REQUEST} | nc -w 60 \${proxy:+-X connect -x $proxy} $1 80 >said; ${ANSWER}`,
    port: 80,
    program: /nc/,
    via: 'connect',
    needs: ['nc'],
  },
  {
    title: 'a program without proxies, linked to glibc',
    script: '../../client-glibc $1',
    port: 80,
    program: /client-glibc/,
    needs: ['gcc'],
  },
  {
    title: 'a static program of musl',
    script: '../../client-musl $1',
    asksNobody: true,
    port: 80,
    program: /client-musl/,
    needs: ['musl-gcc'],
  },
  {
    title: 'a static program of Go, with a resolver of its own',
    script: '../../client-go $1',
    port: 80,
    program: /client-go/,
    needs: ['go'],
  },
];

/** `ssh` to where the arguments say, as somebody whom the world's server knows. */
export const SSH_TO = `#!/bin/sh
here=$(dirname "$0")
exec ssh -F /dev/null -o BatchMode=yes -o IdentitiesOnly=yes -o IdentityFile="$here/client-key" -o UserKnownHostsFile="$here/known-hosts" \\
  \${proxy:+-o ProxyCommand="nc -X connect -x $proxy %h %p"} "$@"
`;

/** Asks the host of its argument for /hello and prints the answer's last line. */
export const PLAIN_CLIENT = String.raw`
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
int main(int argc, char **argv) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
  int status = argc < 2 ? EAI_NONAME : getaddrinfo(argv[1], "80", &hints, &found);
  if (status != 0) { fprintf(stderr, "%s\n", gai_strerror(status)); return 2; }
  for (; found; found = found->ai_next) {
    int fd = socket(found->ai_family, SOCK_STREAM, 0);
    if (connect(fd, found->ai_addr, found->ai_addrlen) != 0) { perror("connect"); close(fd); continue; }
    dprintf(fd, "GET /hello HTTP/1.0\r\nHost: any\r\n\r\n");
    char text[4096]; size_t length = 0; ssize_t n;
    while ((n = read(fd, text + length, sizeof text - 1 - length)) > 0) length += (size_t)n;
    text[length] = 0;
    char *body = strstr(text, "\r\n\r\n");
    if (!body) { fprintf(stderr, "no answer\n"); return 4; }
    fputs(body + 4, stdout);
    return 0;
  }
  return 3;
}
`;

export const GO_CLIENT = `package main

import (
	"io"
	"net"
	"os"
	"strings"
)

func main() {
	connection, err := net.Dial("tcp", os.Args[1]+":80")
	if err != nil {
		println(err.Error())
		os.Exit(1)
	}
	io.WriteString(connection, "GET /hello HTTP/1.0\\r\\nHost: any\\r\\n\\r\\n")
	answer, _ := io.ReadAll(connection)
	os.Stdout.WriteString(strings.SplitN(string(answer), "\\r\\n\\r\\n", 2)[1])
}
`;

/** The installer that the interpreter brings along, into the directory of the argument. */
export const UNPACK_PIP = `
import ensurepip, glob, sys, zipfile
wheels = glob.glob('/usr/share/python-wheels/pip-*.whl') + glob.glob(ensurepip.__path__[0] + '/_bundled/pip-*.whl')
zipfile.ZipFile(wheels[0]).extractall(sys.argv[1])
`;
