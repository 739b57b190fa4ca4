import { join } from 'node:path';
import { type CompatRow, NPM_CREDENTIALS } from './row.ts';

const modules = join(import.meta.dirname, '../../node_modules');

/** Copies packages of this project's own into the row's, with all that they need. */
const packages = (names: string): string =>
  `mkdir node_modules && (cd ${modules} && cp -a ${names} "$OLDPWD/node_modules/") && echo '{"type":"module"}' > package.json`;

/**
 * Starts a watching program, changes a file when `first` was printed, and ends it when `then` was. The change is made again while nothing
 * comes of it: a watcher says that it is done before it watches.
 */
const watched = (command: string, first: string, change: string, then: string): string => `node - <<'EOF'
const { spawn } = require('child_process');
const c = spawn(${command}, { stdio: ['pipe', 'pipe', 'inherit'] }); let seen = '', step = 0;
const change = () => { if (step === 1) { require('fs').writeFileSync(${change}); setTimeout(change, 10_000); } };
c.stdout.on('data', (d) => {
  seen += d;
  if (step === 0 && ${first}.test(seen)) { step = 1; seen = ''; change(); }
  if (step === 1 && ${then}.test(seen)) { step = 2; c.kill('SIGTERM'); }
});
c.on('close', () => { console.log(step === 2 ? 'seen again' : seen); });
EOF
`;

/** Speaks the protocol of `--jobserver-auth=fifo:PATH` (GNU make 4.4, "POSIX Jobserver Interaction"), of which make 4.3 knows nothing. */
const jobserver = `cat > job.py <<'EOF'
import os, sys, subprocess, time
auth, name, deep = sys.argv[1], sys.argv[2], int(sys.argv[3])
assert auth.startswith('fifo:')
reader, writer = os.open(auth[5:], os.O_RDONLY), os.open(auth[5:], os.O_WRONLY)
children = [subprocess.Popen([sys.executable, 'job.py', auth, name + str(i), str(deep - 1)]) for i in range(3)] if deep else []
token = os.read(reader, 1)
running = os.open('running', os.O_WRONLY | os.O_APPEND); os.write(running, b'+'); time.sleep(0.01); os.write(running, b'-')
open('done-' + name, 'w').close()
os.write(writer, token)
sys.exit(max([c.wait() for c in children], default=0))
EOF`;

/** Toolchains with servers, caches and processes of their own. */
export const TOOLCHAINS: readonly CompatRow[] = [
  {
    title: "jobs that share the tokens of make's FIFO",
    needs: ['python3'],
    fixture: jobserver,
    script: `python3 - <<'EOF'
import os, subprocess, sys
os.mkfifo('tokens'); open('running', 'w').close()
server = os.open('tokens', os.O_RDWR); os.write(server, b'abc')
print(subprocess.run([sys.executable, 'job.py', 'fifo:tokens', 'j', '2']).returncode)
os.set_blocking(server, False); print(sorted(os.read(server, 100)), sorted(n for n in os.listdir('.') if n.startswith('done')))
most = at = 0
for c in open('running').read(): at += 1 if c == '+' else -1; most = max(most, at)
print(at, most <= 3)
EOF
rm -f tokens running job.py done-*`,
  },
  {
    title: 'make in make with shared jobs, pattern rules and temporaries',
    needs: ['make'],
    fixture:
      'for d in a b c; do mkdir $d; printf "all: 1.o 2.o 3.o\\n%%.o: %%.x\\n\\t@tr a-z A-Z < \\$< > \\$@.tmp && mv \\$@.tmp \\$@\\n" > $d/Makefile; for i in 1 2 3; do echo "$d$i" > $d/$i.x; done; done; printf ".PHONY: all a b c\\nall: a b c\\n\\t@cat */*.o > whole\\na b c:\\n\\t@\\$(MAKE) --no-print-directory -C \\$@\\n" > Makefile',
    script:
      'make -s -j4 && cat whole && make -q -C a; echo $?; make -s -B -j4 -C a && make -B -n -C b --no-print-directory',
  },
  {
    title: 'go: build, vet, test, run',
    needs: ['go', 'gcc'],
    fixture: `printf 'module example.invalid/x\\ngo 1.18\\n' > go.mod; mkdir lib; cat > lib/lib.go <<'EOF'
package lib
import ("net"; "io"; "os/exec")
func Echo() string { l, err := net.Listen("tcp", "127.0.0.1:0"); if err != nil { return err.Error() }; go func() { c, _ := l.Accept(); c.Write([]byte("served")); c.Close() }()
 c, err := net.Dial("tcp", l.Addr().String()); if err != nil { return err.Error() }; b, _ := io.ReadAll(c); return string(b) }
func Child() string { b, err := exec.Command("echo", "child").Output(); if err != nil { return err.Error() }; return string(b) }
EOF
cat > lib/lib_test.go <<'EOF'
package lib
import ("testing"; "os"; "path/filepath"; "fmt"; "sync")
func TestEcho(t *testing.T) { if s := Echo(); s != "served" { t.Fatal(s) } }
func TestChild(t *testing.T) { if s := Child(); s != "child\\n" { t.Fatal(s) } }
func TestFiles(t *testing.T) { d := t.TempDir(); var w sync.WaitGroup; for i := 0; i < 500; i++ { w.Add(1); go func(i int) { defer w.Done(); p := filepath.Join(d, fmt.Sprint(i)); if err := os.WriteFile(p, []byte("x"), 0o600); err != nil { t.Error(err) }; if err := os.Rename(p, p + "r"); err != nil { t.Error(err) } }(i) }; w.Wait(); e, _ := os.ReadDir(d); if len(e) != 500 { t.Fatal(len(e)) } }
EOF
cat > main.go <<'EOF'
package main
import ("fmt"; "example.invalid/x/lib")
func main() { fmt.Print(lib.Echo(), " ", lib.Child()) }
EOF`,
    script:
      'export GOCACHE=$PWD/.cache GOPATH=$PWD/.go GOFLAGS=-mod=mod GOPROXY=off; go build -o x . && ./x; go vet ./lib; go test ./... 2>&1 | sed "s/[0-9.]*s$//"; go run .; go list ./...; rm -rf .cache .go x',
  },
  {
    title: 'npm ci of a tree of sixty packages with programs and nested dependencies',
    needs: ['npm'],
    fixture: `mkdir -p store app; for i in $(seq 60); do mkdir -p p/package/lib/deep; printf '{"name":"p%s","version":"1.0.%s","bin":"b.js"}' $i $i > p/package/package.json; printf '#!/usr/bin/env node\\nconsole.log("%s")\\n' p$i > p/package/b.js; for f in $(seq 15); do echo "module.exports=$f" > p/package/lib/deep/$f.js; done; tar czf store/p$i.tgz --mtime=@0 --owner=0 --group=0 -C p package; rm -rf p; done
export npm_config_update_notifier=false; cd app; { printf '{"name":"app","version":"1.0.0","scripts":{"postinstall":"node -p 1+1 > installed","all":"p1 && p60"},"dependencies":{"p1":"file:../store/p1.tgz"'; for i in $(seq 2 60); do printf ',"p%s":"file:../store/p%s.tgz"' $i $i; done; printf '}}'; } > package.json; npm install --silent --no-audit --no-fund --offline --ignore-scripts >/dev/null; rm -rf node_modules`,
    script:
      'export npm_config_update_notifier=false; cd app && npm ci --no-audit --no-fund --offline --loglevel=error 2>&1 | sed "s/in [0-9a-z]*$//"; cat installed; npm run -s all; ls node_modules | wc -l; ls node_modules/.bin | wc -l; npx --offline p7; npm pack --silent --ignore-scripts',
    ignore: /npm warn .*\n/g,
    ignoreFiles: /\.package-lock\.json|_logs|app-1\.0\.0\.tgz/,
    told: NPM_CREDENTIALS,
  },
  {
    title: 'pnpm install from packages of the tree',
    needs: ['pnpm'],
    fixture: `mkdir -p dep/bin app; echo '{"name":"dep","version":"1.0.0","bin":"bin/d.js"}' > dep/package.json; printf '#!/usr/bin/env node\\nconsole.log("dep")\\n' > dep/bin/d.js; tar czf dep.tgz --transform 's,^dep,package,' dep; echo '{"name":"app","version":"1.0.0","scripts":{"t":"dep"},"dependencies":{"dep":"file:../dep.tgz"}}' > app/package.json`,
    script:
      'cd app && pnpm install --offline --store-dir ../store --silent && pnpm run --silent t; ls node_modules; readlink node_modules/dep; rm -rf ../store node_modules',
    ignoreFiles: /pnpm-lock\.yaml/,
  },
  {
    title: 'vitest runs a project, and again when a file changes',
    fixture: `${packages('$(ls -A | grep -v biome)')}
cat > a.test.js <<'EOF'
import { expect, it } from 'vitest'; import { value } from './value.js';
it('is right', () => { expect(value).toBe(42); });
EOF
echo 'export const value = 42;' > value.js; echo 'export default { test: { reporters: ["tap-flat"] } };' > vitest.config.js`,
    script: `node_modules/.bin/vitest run 2>&1 | sed 's/# time=.*//'; echo $?
${watched("'node_modules/.bin/vitest', ['watch']", '/^ok 1/m', "'value.js', 'export const value = 41;'", '/^not ok 1/m')}rm -rf node_modules`,
  },
  {
    title: 'tsc builds, says what is wrong, and builds again',
    fixture: `${packages('typescript @typescript .bin')}
echo '{"compilerOptions":{"target":"es2022","module":"nodenext","outDir":"out","declaration":true,"incremental":true,"types":[]},"files":["a.ts"]}' > tsconfig.json; echo 'export const a: number = 1;' > a.ts`,
    script: `node_modules/.bin/tsc && cat out/a.js out/a.d.ts; echo 'export const a: string = 1;' > a.ts; node_modules/.bin/tsc; echo $?; echo 'export const a = 2;' > a.ts; node_modules/.bin/tsc && cat out/a.js; rm -rf node_modules out`,
    ignoreFiles: /tsbuildinfo/,
  },
  {
    title: 'Chromium without a window: a page of the tree and one of a server of the run',
    needs: ['chromium-headless-shell'],
    fixture: `echo '<!doctype html><title>t</title><p id=p>static</p><script>p.textContent = "scripted " + [1,2,3].map((n) => n * n)</script>' > page.html`,
    script: `chromium-headless-shell --no-sandbox --disable-gpu --user-data-dir=$PWD/profile --virtual-time-budget=2000 --dump-dom "file://$PWD/page.html" 2>/dev/null
node - <<'EOF'
const http = require('http'), { spawn } = require('child_process');
const s = http.createServer((q, r) => { r.setHeader('content-type', 'text/html'); r.end(q.url === '/x' ? 'fetched' : '<!doctype html><p id=p></p><script>fetch("/x").then((r) => r.text()).then((t) => { p.textContent = t; })</script>'); }).listen(0, '127.0.0.1', () => {
  const c = spawn('chromium-headless-shell', ['--no-sandbox', '--disable-gpu', '--user-data-dir=' + process.cwd() + '/profile', '--virtual-time-budget=5000', '--dump-dom', 'http://127.0.0.1:' + s.address().port + '/'], { stdio: ['ignore', 'inherit', 'ignore'] });
  c.on('close', (code) => { console.log(code); s.close(); s.closeAllConnections(); });
});
EOF
rm -rf profile`,
  },
];
