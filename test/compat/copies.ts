import type { CompatRow } from './row.ts';

/** Prints what copies are meant to keep: types, modes, times, links, holes, extended attributes. */
const show = `show() { (cd "$1" && python3 - <<'EOF'
import os
seen = {}
for d, ds, fs in os.walk('.'):
    ds.sort()
    for n in sorted(ds + fs):
        p = os.path.join(d, n); s = os.lstat(p); first = seen.setdefault(s.st_ino, p)
        holes = s.st_size > 65536 and s.st_blocks * 512 < s.st_size
        print(p, oct(s.st_mode), s.st_size if not os.path.isdir(p) else '', int(s.st_mtime), first, holes, [(k, os.getxattr(p, k, follow_symlinks=False)) for k in sorted(os.listxattr(p, follow_symlinks=False)) if k.startswith('user.')])
EOF
); }
`;

const tree = `mkdir -p s/a/b; seq 100 > s/a/x; ln s/a/x s/h; ln s/a/x s/a/b/h; ln -s ../x s/a/b/l; ln -s nowhere s/dangling; mkfifo s/p; truncate -s 1M s/hole; echo x >> s/hole; chmod 4711 s/a/x; chmod 2750 s/a/b; chmod 1777 s/a
python3 -c "
import os, socket
try: os.setxattr('s/a', 'user.d', b'dir'); os.setxattr('s/a/x', 'user.f', bytes(range(200)))
except OSError: pass
socket.socket(socket.AF_UNIX).bind('s/sock')"
chmod 0711 s/a/x; find s -depth -exec touch -h -d '2020-02-03 04:05:06Z' {} +
`;

/** Programs that copy trees, lock files, and fetch from a server. */
export const COPIES: readonly CompatRow[] = [
  {
    title: 'cp -a, tar and rsync keep links, holes, times and attributes',
    needs: ['rsync', 'python3'],
    fixture: tree,
    script: `${show}cp -a s c && show c; tar -c --xattrs -S -f t.tar s 2>/dev/null && mkdir t && tar -x --xattrs --xattrs-include='user.*' -S -p -f t.tar -C t && show t/s; rsync -aHXS --exclude sock s/ r/ && show r; rsync -aHXS --link-dest="$PWD/r" --exclude sock s/ n/ && stat -c %h n/a/x; cp -al r m && stat -c %h m/a/x; rsync -aHXS --delete --exclude sock c/ r/ -i; install -D -m 640 s/a/x i/n/st && stat -c %a i/n/st; mv t/s moved && show moved | head -3; rm -rf c t r n m i moved t.tar`,
  },
  {
    title: 'what others put into a sticky directory, and O_CREAT',
    needs: ['python3'],
    fixture: `mkdir -m 700 d; mkdir -m 1777 d/s; python3 -c "
import os, socket
socket.socket(socket.AF_UNIX).bind('d/s/sock'); os.mkfifo('d/s/fifo'); open('d/s/file', 'w').close()
for n in ('sock', 'fifo', 'file'):
    os.chmod('d/s/' + n, 0o666)
    if os.getuid() == 0: os.lchown('d/s/' + n, 1, 1)"`,
    script: `python3 - <<'EOF'
import os
for n in ('sock', 'fifo', 'file', 'new'):
    for flags in (0, os.O_CREAT, os.O_CREAT | os.O_EXCL):
        try: os.close(os.open('d/s/' + n, os.O_RDWR | os.O_NONBLOCK | flags, 0o600)); print(n, flags, 'opened')
        except OSError as e: print(n, flags, e.strerror)
EOF`,
  },
  {
    title: 'databases shared by processes: sqlite with a write-ahead log, mapped files with record locks',
    needs: ['python3'],
    script: `python3 - <<'EOF'
import fcntl, mmap, os, sqlite3, struct
d = sqlite3.connect('db', timeout=60); print(d.execute('pragma journal_mode=wal').fetchone()); d.execute('create table t(w, n)'); d.commit(); d.close()
with open('map', 'wb') as f: f.truncate(1 << 20)
def worker(w):
    d = sqlite3.connect('db', timeout=60, isolation_level=None)
    for n in range(20):
        d.execute('begin immediate'); d.execute('insert into t values (?, ?)', (w, n)); d.execute('commit')
    d.close()
    fd = os.open('map', os.O_RDWR); m = mmap.mmap(fd, 1 << 20)
    for n in range(200):
        fcntl.lockf(fd, fcntl.LOCK_EX, 8, 4096); m[4096:4104] = struct.pack('q', struct.unpack('q', m[4096:4104])[0] + 1); fcntl.lockf(fd, fcntl.LOCK_UN, 8, 4096)
    m.flush(); os._exit(0)
pids = []
for w in range(4):
    pid = os.fork()
    if pid == 0: worker(w)
    pids.append(pid)
print([os.waitstatus_to_exitcode(os.waitpid(p, 0)[1]) for p in pids])
d = sqlite3.connect('db'); print(d.execute('select w, count(*), sum(n) from t group by w order by w').fetchall(), d.execute('pragma integrity_check').fetchone(), d.execute('pragma wal_checkpoint(truncate)').fetchone()); d.close()
print(struct.unpack_from('q', open('map', 'rb').read(), 4096))
a, b = os.open('map', os.O_RDWR), os.open('map', os.O_RDWR)
fcntl.flock(a, fcntl.LOCK_EX)
try: fcntl.flock(b, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError as e: print(e.strerror)
ofd = struct.pack('hhqqi4x', fcntl.F_WRLCK, os.SEEK_SET, 0, 8, 0); fcntl.fcntl(a, fcntl.F_OFD_SETLK, ofd)
try: fcntl.fcntl(b, fcntl.F_OFD_SETLK, ofd)
except OSError as e: print(e.strerror)
EOF
rm -f db* map`,
  },
  {
    title: 'curl and wget from a server of the run, and from a port where nobody listens',
    needs: ['curl', 'wget', 'python3'],
    fixture: 'mkdir www; seq 5000 > www/file; echo page > www/index.html',
    script: `python3 - <<'EOF' &
import functools, http.server, os
class H(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *a): pass
s = http.server.ThreadingHTTPServer(('127.0.0.1', 0), functools.partial(H, directory='www'))
open('port.new', 'w').write(str(s.server_port)); os.rename('port.new', 'port'); s.serve_forever()
EOF
until test -e port; do sleep 0.05; done; p=$(cat port)
curl -s "http://127.0.0.1:$p/"; curl -s --noproxy '*' --resolve "name.invalid:$p:127.0.0.1" "http://name.invalid:$p/"; curl -sI "http://localhost:$p/file" | grep -i length; curl -s -o part -r 0-99 "http://127.0.0.1:$p/file"; curl -s -C - -o whole "http://127.0.0.1:$p/file" && cmp whole www/file; wget -q -O - "http://127.0.0.1:$p/"; wget -q -r -nH -P got "http://127.0.0.1:$p/" ; find got | sort; curl -s "http://127.0.0.1:$p/missing" -o /dev/null -w '%{http_code}\\n'
kill %1; wait %1 2>/dev/null; curl -s "http://127.0.0.1:$p/"; echo $?; wget -q -t 1 "http://127.0.0.1:$p/"; echo $?; python3 -c "
import socket, sys
for f, a in ((socket.AF_INET, '127.0.0.1'), (socket.AF_INET6, '::1')): print(socket.socket(f).connect_ex((a, int(sys.argv[1]))))" $p; rm -rf port got part whole`,
  },
  {
    title: 'ssh-keygen: keys of all kinds, signatures, known hosts; ssh configuration',
    needs: ['ssh', 'ssh-keygen'],
    script: `for t in ed25519 ecdsa rsa; do ssh-keygen -q -t $t -N '' -C c -f k-$t && ssh-keygen -l -f k-$t.pub | sed 's/SHA256:[^ ]*/H/'; done; echo data > data; ssh-keygen -q -Y sign -f k-ed25519 -n file data 2>/dev/null; echo "me $(cat k-ed25519.pub)" > allowed; ssh-keygen -Y verify -f allowed -I me -n file -s data.sig < data | sed 's/SHA256:.*//'; echo "host.invalid $(cut -d' ' -f1-2 k-rsa.pub)" > known; ssh-keygen -q -H -f known >/dev/null 2>&1; ssh-keygen -F host.invalid -f known | wc -l; ssh -F none -G host.invalid | grep -c '^port 22$'; ssh -V 2>&1 | cut -c1-8; ssh -F none -o BatchMode=yes -o ConnectTimeout=5 -p 1 127.0.0.1 2>&1; echo $?; rm -f k-* known* allowed data*`,
  },
  {
    title: 'names of users, groups, hosts and services; locales and time',
    script:
      'id; whoami; getent passwd 0; getent group 0 | cut -d: -f1; getent hosts localhost | cut -d" " -f1; getent services http/tcp | cut -d" " -f1; locale | head -3; date -u -d @0; TZ=Europe/Berlin date -d @0 +%H; hostname | wc -l; uname -s; nproc; df . | wc -l; logname 2>&1 | wc -l; groups | wc -w',
  },
];
