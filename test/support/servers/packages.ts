import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';

/** One package of npm and one wheel for Python, both called `demo`. */
export function makePackages(directory: string): void {
  const source = join(directory, 'npm', 'package');
  mkdirSync(source, { recursive: true });
  writeFileSync(join(source, 'package.json'), JSON.stringify({ name: 'demo', version: '1.0.0', main: 'index.js' }));
  writeFileSync(join(source, 'index.js'), "module.exports = 'from the registry';\n");
  execFileSync('tar', ['czf', join(directory, TARBALL), '-C', join(directory, 'npm'), 'package']);
  execFileSync('python3', ['-c', MAKE_WHEEL, join(directory, WHEEL)]);
}

/** A registry of npm (`/npm/demo`) and a simple index (`/simple/demo/`, PEP 503), each with its one package. */
export function servePackage(directory: string, request: IncomingMessage, response: ServerResponse): void {
  const { pathname, origin } = new URL(
    request.url ?? '/',
    `${'encrypted' in request.socket ? 'https' : 'http'}://${request.headers.host}`,
  );
  const tarball = readFileSync(join(directory, TARBALL));
  const wheel = readFileSync(join(directory, WHEEL));
  if (pathname === '/npm/demo')
    response.setHeader('content-type', 'application/json').end(JSON.stringify(manifest(tarball, origin)));
  else if (pathname === '/simple/demo/') response.setHeader('content-type', 'text/html').end(index(wheel));
  else if (pathname === `/packages/${TARBALL}`) response.end(tarball);
  else if (pathname === `/packages/${WHEEL}`) response.end(wheel);
  else response.writeHead(404).end();
}

function index(wheel: Buffer): string {
  const hash = createHash('sha256').update(wheel).digest('hex');
  return `<!DOCTYPE html><a href="/packages/${WHEEL}#sha256=${hash}">${WHEEL}</a>`;
}

function manifest(tarball: Buffer, origin: string): unknown {
  const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
  const dist = { tarball: `${origin}/packages/${TARBALL}`, integrity };
  return {
    name: 'demo',
    'dist-tags': { latest: '1.0.0' },
    versions: { '1.0.0': { name: 'demo', version: '1.0.0', dist } },
  };
}

const TARBALL = 'demo-1.0.0.tgz';
const WHEEL = 'demo-1.0-py3-none-any.whl';
/** The least that is a wheel (PEP 427). */
const MAKE_WHEEL = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as wheel:
    wheel.writestr('demo.py', "text = 'from the index'\\n")
    wheel.writestr('demo-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: demo\\nVersion: 1.0\\n')
    wheel.writestr('demo-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr('demo-1.0.dist-info/RECORD', 'demo.py,,\\ndemo-1.0.dist-info/METADATA,,\\ndemo-1.0.dist-info/WHEEL,,\\ndemo-1.0.dist-info/RECORD,,\\n')
`;
