import { type CompatRow, NPM_CREDENTIALS } from './row.ts';

const debuggee = `echo 'int main(void) { volatile int x = 42; x++; return x - 43; }' > g.c && gcc -g -O0 -o g g.c`;

/** Programs that look at other processes, or drive them. */
export const PROCESSES: readonly CompatRow[] = [
  {
    title: 'gdb: breakpoint, step, and a variable set',
    needs: ['gdb', 'gcc'],
    fixture: debuggee,
    script:
      'gdb -q -batch -ex "break main" -ex run -ex next -ex "print x" -ex "set var x = 50" -ex "print x" -ex cont ./g 2>&1 | grep -a "^\\$\\|exited"',
    ignore: /process \d+/g,
  },
  {
    title: 'strace of a child and its children',
    needs: ['strace'],
    script:
      'strace -f -qq -e trace=execve -o trace sh -c "true; /bin/true; /bin/echo traced"; grep -c execve trace; rm trace; strace -qq -e trace=openat cat /etc/hostname 2>&1 | grep -c "/etc/hostname"',
  },
  {
    title: 'a sanitizer looks for leaks',
    needs: ['gcc'],
    fixture: `echo 'int main(void) { return 0; }' > m.c && gcc -fsanitize=address m.c -o m || echo 'int main(void) { return 0; }' | gcc -x c - -o m`,
    script: './m; echo $?',
  },
  {
    title: 'processes of the run are seen by number',
    needs: ['ps'],
    script:
      'sleep 30 & sleep 0.2; cat /proc/$!/comm; ls /proc/$!/task | wc -l; ls /proc/$!/fd | grep -cx [012]; ps -o comm= -p $!; grep -c Name: /proc/$!/status; kill $!',
  },
  {
    title: 'errors of calls on processes that do not exist',
    needs: ['python3'],
    script: `python3 - <<'EOF'
import os, resource
for pid in (-1, 2**22 + 5):
    for call in (lambda: resource.prlimit(pid, resource.RLIMIT_CPU), lambda: os.setpriority(os.PRIO_PROCESS, pid, 5), lambda: os.sched_setaffinity(pid, {0})):
        try: call(); print('done')
        except OSError as e: print(e)
EOF`,
  },
  {
    title: 'ps and lscpu of the run',
    needs: ['ps', 'lscpu'],
    script:
      'ls /dev | grep -cx "null\\|tty"; lscpu | grep -c "^Architecture"; sleep 30 & ps -e -o comm= | grep -cx sleep >/dev/null && echo found; pgrep -P $$ -x sleep | wc -l; kill $!',
  },
  {
    title: 'background jobs, limits, priorities',
    script:
      'nohup sh -c "echo late > late" >/dev/null 2>&1 & disown; sleep 0.3; cat late; setsid -w echo session; (ulimit -n 100; ulimit -n); timeout 0.2 sleep 5; echo $?; nice -n 5 nice; ionice -c 3 echo idle; taskset -c 0 echo bound; renice -n 1 -p $$ | wc -l; seq 50 | xargs -P 4 -n 5 echo | wc -l; coproc cat; echo both >&"${' +
      'COPROC[1]}"; read -ru "$COPROC" x; echo $x',
  },
  {
    title: 'a terminal made inside: script, pty.fork',
    needs: ['script', 'python3'],
    script: `script -qc 'tty | cut -c1-9; echo on it' /dev/null; script -qec 'exit 3' /dev/null; echo $?; python3 - <<'EOF'
import os, pty
pid, fd = pty.fork()
if pid == 0:
    with open('/dev/tty', 'w') as t: t.write('from %s' % os.ttyname(0)[:9])
    os._exit(3)
print(os.read(fd, 100), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
EOF`,
  },
  {
    title: 'a tmux server started inside',
    needs: ['tmux'],
    script:
      'unset TMUX; t="tmux -S ./server -f /dev/null"; $t new-session -d -x 80 -y 10 "echo inside; sleep 30"; for i in $(seq 50); do $t capture-pane -p | grep -q inside && break; sleep 0.1; done; $t capture-pane -p | head -1; $t kill-server; rm -f server',
  },
  {
    title: 'ssh-agent with a key of its own',
    needs: ['ssh-agent'],
    script:
      'ssh-keygen -q -t ed25519 -N "" -f ./key; eval "$(ssh-agent -a ./agent)" >/dev/null; ssh-add ./key 2>&1 | cut -d" " -f1-2; ssh-add -l | wc -l; ssh-agent -k >/dev/null; rm -f key* agent',
  },
];

export const BUILDERS: readonly CompatRow[] = [
  {
    title: 'cmake and ninja',
    needs: ['cmake', 'ninja', 'gcc'],
    fixture:
      'echo "int main(void) { return 7; }" > x.c; printf "cmake_minimum_required(VERSION 3.10)\nproject(x C)\nadd_executable(x x.c)\n" > CMakeLists.txt',
    script: 'cmake -G Ninja -B build . >/dev/null && ninja -C build | tail -1; ./build/x; echo $?; rm -r build',
  },
  {
    title: 'gcc: pipes, temporaries, link-time optimisation, precompiled headers',
    needs: ['gcc'],
    fixture: 'echo "int main(void) { return 0; }" > m.c; echo "#include <stdio.h>" > h.h',
    script:
      'gcc -pipe -O2 m.c -o a && ./a; gcc -save-temps m.c -o b && ls b*; gcc -flto m.c -o c && ./c; gcc h.h && gcc -include h.h m.c -o d && ./d; ar rcs l.a b-m.o; ls; rm -f a b* c d *.gch l.a',
  },
  {
    title: 'cargo: build, test and run a crate',
    needs: ['cargo'],
    fixture: 'cargo init -q --name x --vcs none .',
    script:
      'cargo build -q --offline 2>&1; ./target/debug/x; cargo test -q --offline 2>&1 | grep -o "ok. 0 passed"; cargo run -q --offline; rm -rf target',
  },
  {
    title: 'javac, java, a loopback server and a child',
    needs: ['javac', 'java'],
    fixture: `cat > H.java <<'EOF'
import java.net.*; import java.nio.file.*;
public class H { public static void main(String[] a) throws Exception {
  ServerSocket s = new ServerSocket(0); new Thread(() -> { try (Socket c = s.accept()) { c.getOutputStream().write(65); } catch (Exception e) { e.printStackTrace(); } }).start();
  try (Socket c = new Socket("localhost", s.getLocalPort())) { System.out.println(c.getInputStream().read()); }
  System.out.println(new ProcessBuilder("echo", "child").inheritIO().start().waitFor());
  Files.delete(Files.createTempDirectory("x")); Files.writeString(Path.of("out"), "x");
} }
EOF`,
    script: 'javac H.java && java H; rm -f *.class',
  },
  {
    title: 'npm scripts with hooks, workspaces',
    needs: ['npm'],
    fixture:
      'mkdir -p packages/a packages/b; echo \'{"name":"r","private":true,"workspaces":["packages/*"],"scripts":{"prebuild":"echo pre","build":"echo build","postbuild":"echo post"}}\' > package.json; echo \'{"name":"a","version":"1.0.0","scripts":{"t":"echo ta"}}\' > packages/a/package.json; echo \'{"name":"b","version":"1.0.0","dependencies":{"a":"1.0.0"},"scripts":{"t":"echo tb","prepare":"echo prepared > made"}}\' > packages/b/package.json',
    script:
      'npm install --offline --no-audit --no-fund --no-update-notifier --silent; npm run -s build; npm run -s t --workspaces; ls -A packages/b node_modules',
    ignore: /npm (warn|notice).*\n/g,
    ignoreFiles: /\.package-lock\.json/,
    told: NPM_CREDENTIALS,
  },
];

export const RUNTIMES: readonly CompatRow[] = [
  {
    title: 'Node: fs.watch, fork with messages, IPv6, a socket in the project, cp',
    script: `cat > w.cjs <<'EOF'
const fs = require('fs'), net = require('net'), cp = require('child_process'), { once } = require('events');
if (process.argv[2] === 'child') process.on('message', (m) => { process.send(m + 1); process.disconnect(); });
else (async () => {
  const w = fs.watch('.'); setTimeout(() => fs.writeFileSync('watched', 'x'), 100); console.log((await once(w, 'change'))[1]); w.close();
  const c = cp.fork(__filename, ['child']); c.send(41); console.log(await once(c, 'message').then(([m]) => m));
  for (const where of [{ port: 0, host: '::1' }, { path: 'u.sock' }]) {
    const s = net.createServer((c) => c.end('served')).listen(where); await once(s, 'listening');
    const to = where.path ? where : { port: s.address().port, host: '::1' };
    console.log(String((await once(net.connect(to), 'data'))[0])); s.close();
  }
  fs.mkdirSync('p/b', { recursive: true }); fs.writeFileSync('p/b/f', '1'); fs.symlinkSync('b/f', 'p/l'); fs.cpSync('p', 'q', { recursive: true, verbatimSymlinks: true }); console.log(fs.readdirSync('q'));
  fs.copyFileSync('watched', 'cloned', fs.constants.COPYFILE_FICLONE); console.log(Object.keys(require('os').networkInterfaces()).includes('lo'), require('os').cpus().length > 0);
})();
EOF
node w.cjs`,
  },
  {
    title: 'a Node cluster',
    script: `cat > c.cjs <<'EOF'
const cluster = require('cluster'), http = require('http');
if (cluster.isPrimary) { const w = cluster.fork(); w.on('exit', () => console.log('over')); w.on('listening', ({ port }) => http.get({ port, host: '127.0.0.1' }, (r) => { r.on('data', (d) => console.log(String(d))); r.on('end', () => w.kill()); })); }
else http.createServer((_, r) => r.end('from a worker')).listen(0, '127.0.0.1');
EOF
node c.cjs`,
  },
  {
    title: 'Perl: files, sockets, children',
    needs: ['perl'],
    script: `perl -e 'use File::Temp; my $f = File::Temp->new; print $f "x"; $f->flush; print -s $f, \`echo a\`; use IO::Socket::INET; $s = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1"); $c = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $s->sockport); print defined $c ? 1 : 0, "\\n"'`,
  },
  {
    title: 'Tcl: a command pipeline',
    needs: ['tclsh'],
    script: `echo 'set f [open f w]; puts $f x; close $f; puts [file size f]; puts [exec echo a]; set p [open |cat r+]; puts $p hi; flush $p; puts [gets $p]' | tclsh`,
  },
  {
    title: 'sqlite3 with a write-ahead log',
    needs: ['sqlite3'],
    script:
      'sqlite3 db "pragma journal_mode = wal; create table t(x); insert into t values (1); select * from t"; sqlite3 db "select count(*) from t"; rm db*',
  },
  {
    title: 'rsync of links and holes, attributes, locks',
    needs: ['rsync', 'flock'],
    fixture:
      'mkdir -p s/a; seq 100 > s/a/x; ln -s a/x s/l; ln s/a/x s/h; chmod 600 s/h; mkfifo s/p; truncate -s 1M s/hole; echo x >> s/hole',
    script:
      'rsync -aHAXS s/ d/; rsync -a --delete --checksum --itemize-changes s/ d/; stat -c "%h %F %a" d/a/x d/l d/h d/p; cp -a --sparse=always d/hole e; test $(du -k e | cut -f1) -lt 100 && echo sparse; fallocate -l 1M f && fallocate -p -o 0 -l 4096 f && stat -c %s f; dd if=/dev/zero of=g bs=4k count=2 oflag=direct 2>/dev/null; stat -c %s g; flock k -c "flock -n k -c true || echo busy"',
  },
  {
    title: 'a blocked open of a FIFO meets signals',
    needs: ['python3'],
    script: `python3 - <<'EOF'
import os, signal, time
os.mkfifo('ff')
class Stop(Exception): pass
def stop(*_): raise Stop
signal.signal(signal.SIGALRM, stop); signal.setitimer(signal.ITIMER_REAL, 0.3)
try: os.open('ff', os.O_RDONLY)
except Stop: print('interrupted')
signal.signal(signal.SIGALRM, lambda *_: None); signal.siginterrupt(signal.SIGALRM, False); signal.setitimer(signal.ITIMER_REAL, 0.2)
if os.fork() == 0:
    time.sleep(0.6); os.write(os.open('ff', os.O_WRONLY), b'z'); os._exit(0)
print(os.read(os.open('ff', os.O_RDONLY), 3)); os.wait()
EOF`,
  },
];
