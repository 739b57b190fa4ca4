import { execFileSync, spawn } from 'node:child_process';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';

/** A bare repository with one commit: `<directory>/git/story.git`. */
export function makeRepository(directory: string): void {
  execFileSync('sh', ['-c', COMMANDS, 'sh', join(directory, 'git')], { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** git's own server behind the web server's CGI (RFC 3875). */
export function serveGit(directory: string, request: IncomingMessage, response: ServerResponse): void {
  const [path = '', query = ''] = (request.url ?? '').split('?');
  const { 'content-type': type, 'git-protocol': protocol, 'content-encoding': encoding } = request.headers;
  const backend = spawn('git', ['http-backend'], {
    env: {
      ...process.env,
      GIT_PROJECT_ROOT: join(directory, 'git'),
      GIT_HTTP_EXPORT_ALL: '1',
      // The repository is the test's, whoever serves it.
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'safe.directory',
      GIT_CONFIG_VALUE_0: '*',
      REQUEST_METHOD: request.method,
      PATH_INFO: path.replace(/^\/git/, ''),
      QUERY_STRING: query,
      CONTENT_TYPE: type,
      HTTP_CONTENT_ENCODING: encoding,
      GIT_PROTOCOL: [protocol ?? ''].flat().join(),
      REMOTE_ADDR: request.socket.remoteAddress,
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  backend.stdin.on('error', () => undefined);
  request.pipe(backend.stdin);
  const chunks: Buffer[] = [];
  backend.stdout.on('data', (chunk) => chunks.push(chunk));
  backend.once('close', () => {
    const all = Buffer.concat(chunks);
    const end = all.indexOf('\r\n\r\n');
    const headers = all
      .toString('latin1', 0, end)
      .split('\r\n')
      .map((line) => line.split(/: */, 2) as [string, string]);
    const status = headers.find(([name]) => name === 'Status')?.[1] ?? '200';
    response.writeHead(Number.parseInt(status, 10), Object.fromEntries(headers.filter(([name]) => name !== 'Status')));
    response.end(all.subarray(end + 4));
  });
}

const COMMANDS = `set -e
mkdir -p "$1" && cd "$1"
git init -q --bare -b main story.git
git -C story.git config http.receivepack true
git init -q -b main work && cd work
echo 'once upon a time' > story
git add story
git -c user.name=A -c user.email=a@example.invalid commit -q -m 'the first part'
git push -q ../story.git main
`;
