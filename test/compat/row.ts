/**
 * One ordinary program or habit: run bare and inside, in turn, in the same directory laid anew. Output, exit status and
 * the tree that is left must be the same. `script` is given to `bash -c`; `fixture` lays the directory, outside.
 */
export type CompatRow = {
  title: string;
  script: string;
  fixture?: string;
  /** Programs without which the row cannot run here; a missing one is printed as a skip. */
  needs?: readonly string[];
  /** Text that differs from run to run for reasons of its own. */
  ignore?: RegExp;
  /** What the program is refused and does without: hooks say so in a line, where there is such a file. */
  told?: RegExp;
  /** Files whose content differs from run to run for reasons of its own (indexes with times, caches). */
  ignoreFiles?: RegExp;
  /** Extra options of `gatekeeper run`. */
  options?: readonly string[];
};

/** npm looks into the home directory, where tokens may be. */
export const NPM_CREDENTIALS = /^gatekeeper: denied file_read \S+\/\.npmrc: .*\n/gm;

export const GIT_IDENTITY = `
export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.invalid GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@example.invalid
export GIT_AUTHOR_DATE='2026-01-01T00:00:00Z' GIT_COMMITTER_DATE='2026-01-01T00:00:00Z' GIT_CONFIG_NOSYSTEM=1
git() { command git -c init.defaultBranch=main -c protocol.file.allow=always "$@"; }
`;

export const REPOSITORY = `${GIT_IDENTITY}
git init -q origin && cd origin
for i in 1 2 3 4 5; do echo "line $i" >> story; mkdir -p "d$i"; echo "$i" > "d$i/f"; git add -A; git commit -q -m "part $i"; done
git branch side HEAD~2 && cd ..
`;

export const SHELL: readonly CompatRow[] = [
  { title: 'process substitution', script: 'cat <(echo one) <(echo two); diff <(seq 3) <(seq 4)' },
  { title: 'here-documents and here-strings', script: 'cat <<EOF\na $((1+1))\nEOF\ncat <<< word' },
  {
    title: 'job control without a terminal',
    script: 'set -m; sleep 0.2 & jobs -r | wc -l; wait; (exit 3) & wait $!; echo $?; kill -TERM $$ & wait; echo never',
  },
  {
    title: 'pipelines again and again',
    script: 'for i in $(seq 300); do echo $i | cat | tail -1 >/dev/null || echo lost; done; echo done',
  },
  {
    title: 'signals and exit statuses',
    script: 'sh -c "kill -SEGV \\$\\$"; echo $?; sh -c "exit 7"; echo $?; exit 9',
    ignore: /line 1: +\d+/g,
  },
  {
    title: 'umask of new files and directories',
    script: 'umask 027; touch a; mkdir b; umask 0; touch c; mkdir d; stat -c "%n %a" a b c d',
  },
  {
    title: 'standard descriptors by name',
    script:
      'echo in | cat /dev/stdin; echo out > /dev/stdout; echo err > /dev/stderr; echo three 3>&1 >&3; ls -l /proc/self/fd/0 | wc -l; echo fd | cat /dev/fd/0',
  },
  { title: 'no terminal', script: 'echo x > /dev/tty; echo $?; test -t 0; echo $?; tty; echo $?' },
  { title: 'a FIFO between two processes', script: 'mkfifo f; (sleep 0.1; echo through > f) & cat f; wait; rm f' },
  {
    title: 'error messages of ordinary mistakes',
    script:
      'cat nothing; mkdir a a/b; mkdir a; rmdir a; touch a/b/; cat a; ln -s loop loop; cat loop; cd nowhere; rm nothing; mv nothing x; ln nothing y; chmod 1 z; : > missing/file; ./a; ./nothing',
  },
  {
    title: 'copying, moving and linking trees',
    script:
      'mkdir -p s/a/b; echo 1 > s/a/one; echo 2 > s/a/b/two; ln -s a/one s/link; ln s/a/one s/hard; mkfifo s/pipe; chmod 640 s/a/one; touch -d "2020-01-02 03:04:05Z" s/a/b/two; cp -a s t; mv t u; mv u/a u/z; cp -rl s v; rm -r s/a; stat -c "%n %F %a %h %Y" u/z/b/two u/link u/hard v/hard | sed "s/ [0-9]*$//"; find . | sort',
  },
  {
    title: 'dirfd-relative tools and deep paths',
    script:
      'p=.; for i in $(seq 60); do p=$p/directory-with-a-rather-long-name; done; mkdir -p "$p"; (cd "$p" && pwd | wc -c && echo deep > f && cat f); find . -name f | wc -l; rm -r directory-with-a-rather-long-name; ls -A',
  },
  {
    title: 'odd names',
    script:
      'touch $\'a\\nb\' "sp ace" $\'\\xff\\xfe\' "x (deleted)" "(app)" "[id]"; for f in *; do echo c > "$f"; done; cat * | wc -l; ls | wc -l; rm -- *',
  },
  {
    title: 'deleted files stay readable',
    script: 'exec 3<>f; echo kept >&3; rm f; cat /proc/self/fd/3; exec 3>&-; ls -A',
  },
];

export const TOOLS: readonly CompatRow[] = [
  {
    title: 'tar of a tree and back',
    fixture: 'mkdir -p t/a; for i in $(seq 50); do echo $i > t/a/$i; done; ln -s a/1 t/l; chmod 700 t/a',
    script:
      'tar cf x.tar t && mkdir u && tar xf x.tar -C u && diff -r t u/t && tar tf x.tar | sort | md5sum && rm x.tar',
  },
  {
    title: 'find and xargs',
    fixture: 'mkdir -p t/a/b; for i in $(seq 200); do echo $i > t/a/b/$i; done',
    script:
      'find t -type f -print0 | xargs -0 cat | sort -n | tail -1; find t -name "*9" -exec rm {} +; find t -type f | wc -l',
  },
  {
    title: 'a C build with make -j2',
    needs: ['gcc', 'make'],
    fixture:
      'for i in $(seq 8); do echo "int f$i(void) { return $i; }" > f$i.c; done; echo "int f3(void); int main(void) { return f3(); }" > main.c; printf "OBJS=%s\nprog: \\$(OBJS) main.o\n\tgcc -o \\$@ \\$^\n%%.o: %%.c\n\tgcc -O1 -c -o \\$@ \\$<\n" "$(seq -f f%g.o 8 | tr "\\n" " ")" > Makefile',
    script: 'make -j2 >log 2>&1; tail -1 log | wc -l; rm log; ./prog; echo $?; make -s; ls | sort',
  },
  {
    title: 'git: clone, commit, status, log',
    needs: ['git'],
    fixture: REPOSITORY,
    script: `${GIT_IDENTITY}git clone -q origin copy && cd copy && echo more >> story && git status --short && git commit -qam more && git log --format=%s && git status && git fsck 2>&1 | tail -1; git config user.name B; git config --get user.name; git push -q origin HEAD:refs/heads/pushed; git -C ../origin log --format=%s pushed -1`,
    ignoreFiles: /\.git\/(index|logs\/|ORIG_HEAD)/,
  },
  {
    title: 'git: rebase, stash, checkout, gc',
    needs: ['git'],
    fixture: `${REPOSITORY}cd origin && git checkout -q side && echo s > side && git add side && git commit -q -m side && git checkout -q main`,
    script: `${GIT_IDENTITY}cd origin && git checkout -q side && git rebase -q main && git log --format=%s && echo w >> story && git stash -q && git stash list | wc -l && git stash pop -q && git diff --stat && git checkout -q -- story && git gc -q && git count-objects | wc -l && git tag v1 && git describe --tags`,
    ignoreFiles: /\.git\/(index|logs\/|ORIG_HEAD|refs\/stash|packed-refs|objects\/|info\/|gc)/,
  },
  {
    title: 'npm ci and npm test of a small project with a local dependency',
    needs: ['npm'],
    fixture:
      'mkdir dep app; echo \'{"name":"dep","version":"1.0.0","main":"i.js","bin":{"dep":"b.js"},"scripts":{"install":"node -e 0"}}\' > dep/package.json; echo "module.exports = 42" > dep/i.js; printf "#!/usr/bin/env node\nconsole.log(require(\\"./i.js\\"))\n" > dep/b.js; (cd dep && npm pack --silent >/dev/null); cd app; echo \'{"name":"app","version":"1.0.0","scripts":{"test":"dep && node t.js"},"dependencies":{"dep":"file:../dep/dep-1.0.0.tgz"}}\' > package.json; echo "require(\'fs\').writeFileSync(\'out\', String(require(\'dep\')))" > t.js; npm install --silent --no-audit --no-fund --offline >/dev/null; rm -rf node_modules',
    script:
      'export npm_config_update_notifier=false; cd app && npm ci --no-audit --no-fund --offline --loglevel=error 2>&1 | sed "s/in [0-9a-z]*$//" && npm test --silent; cat out; ls node_modules/.bin',
    ignore: /npm warn .*\n/g,
    ignoreFiles: /\.package-lock\.json|_logs/,
    told: NPM_CREDENTIALS,
  },
  {
    title: 'python3 -m venv',
    needs: ['python3'],
    script:
      'python3 -m venv v && v/bin/python -c "import sys; print(sys.prefix != sys.base_prefix)" && v/bin/pip --version | cut -d" " -f1',
    ignoreFiles: /\.pyc$/,
  },
  {
    title: 'Python: subprocesses, threads, temporary files, sqlite',
    needs: ['python3'],
    script: `python3 - <<'EOF'
import subprocess, tempfile, os, sqlite3, threading, multiprocessing, shutil, pathlib
print(subprocess.run(['echo', 'child'], capture_output=True).stdout)
with tempfile.TemporaryFile() as f: f.write(b'x'); f.seek(0); print(f.read())
with tempfile.NamedTemporaryFile(dir='.') as f: print(os.path.dirname(f.name) == os.getcwd())
d = sqlite3.connect('db'); d.execute('create table t(x)'); d.executemany('insert into t values(?)', [(i,) for i in range(100)]); d.commit(); print(d.execute('select sum(x) from t').fetchone()); d.close(); os.unlink('db')
ts = [threading.Thread(target=lambda i=i: pathlib.Path(f't{i}').write_text(str(i))) for i in range(8)]
[t.start() for t in ts]; [t.join() for t in ts]; print(sorted(p.name for p in pathlib.Path('.').iterdir()))
with multiprocessing.Pool(2) as p: print(p.map(abs, [-1, -2]))
print(os.popen('echo popen').read())
fd = os.open('.', os.O_RDONLY | os.O_DIRECTORY); print(sorted(os.listdir(fd))[:2]); os.mkdir('made', dir_fd=fd); os.rename('made', 'moved', src_dir_fd=fd, dst_dir_fd=fd); os.rmdir('moved', dir_fd=fd)
t = os.open('.', os.O_TMPFILE | os.O_RDWR, 0o600); t = os.dup2(t, 99); os.write(t, b'nameless'); os.link(f'/proc/self/fd/{t}', 'named', follow_symlinks=True); print(open('named').read())
os.chmod('named', 0o640); os.utime('named', (1, 2)); print(oct(os.stat('named').st_mode), os.stat('named').st_mtime); os.truncate('named', 3); print(open('named').read())
EOF`,
  },
  {
    title: 'Node: files, children, workers, streams',
    script: `node - <<'EOF'
const fs = require('fs'), cp = require('child_process'), { Worker } = require('worker_threads');
fs.mkdirSync('a/b/c', { recursive: true }); fs.mkdirSync('a/b/c', { recursive: true });
fs.writeFileSync('a/b/c/f', 'text'); fs.appendFileSync('a/b/c/f', '!'); fs.renameSync('a/b', 'a/d'); fs.copyFileSync('a/d/c/f', 'g'); fs.cpSync('a', 'h', { recursive: true });
console.log(fs.readFileSync('h/d/c/f', 'utf8'), fs.readdirSync('.').sort(), cp.execSync('echo exec').toString());
try { fs.readFileSync('missing') } catch (e) { console.log(e.code, e.syscall) }
fs.rmSync('a', { recursive: true }); fs.symlinkSync('g', 's'); console.log(fs.readlinkSync('s'), fs.readFileSync('s', 'utf8'));
const w = new Worker("require('worker_threads').parentPort.postMessage(require('fs').readFileSync('g', 'utf8'))", { eval: true });
w.on('message', (m) => { console.log('worker', m); const c = cp.spawn('cat', [], { stdio: ['pipe', 'inherit', 'inherit'] }); c.stdin.end('piped\\n'); c.on('close', (s) => console.log(s)); });
EOF`,
  },
  {
    title: 'a Node server and client on a loopback port of the run',
    script: `node - <<'EOF'
const http = require('http');
const s = http.createServer((q, r) => r.end('served ' + q.url)).listen(0, '127.0.0.1', () => {
  http.get({ port: s.address().port, path: '/x' }, (r) => { r.setEncoding('utf8'); r.on('data', (d) => console.log(d)); r.on('end', () => s.close()); });
});
EOF`,
  },
  {
    title: 'a wildcard server and a client by name',
    script: `node - <<'EOF'
const net = require('net');
const s = net.createServer((c) => c.end('hello')).listen(0, () => {
  const a = s.address(); console.log(a.address, a.family);
  net.connect(a.port, 'localhost').on('data', (d) => console.log(String(d))).on('end', () => s.close());
});
EOF`,
  },
  {
    title: 'a Unix socket of the run',
    needs: ['python3'],
    script: `python3 - <<'EOF'
import socket, os, threading
s = socket.socket(socket.AF_UNIX); s.bind('sock'); s.listen()
def serve():
    c, _ = s.accept(); c.sendall(b'unix ' + c.recv(10)); c.close()
t = threading.Thread(target=serve); t.start()
c = socket.socket(socket.AF_UNIX); c.connect('sock'); c.sendall(b'ping'); print(c.recv(20)); t.join(); os.unlink('sock')
EOF`,
  },
];
