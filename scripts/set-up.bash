# Sourced by scripts/gatekeeper and scripts/test: installs and builds what is missing or stale, and says so only then.
#
# Two stamps tell what is there. node_modules/.gatekeeper-install holds the digest of the lock file that was installed;
# .gatekeeper-build/stamp holds the digest of everything that the build reads. The quick check compares change times
# (ctime, which copying tools cannot set back) with the stamp's own time, and costs one `find`.

gk_say() { printf 'gatekeeper: %s\n' "$*" >&2; }

gk_fail() {
  gk_say "$*"
  exit 125
}

# Brings the tree at $root up to date. Prints nothing when it is.
gk_set_up() {
  gk_is_fresh && return 0
  if gk_is_built_from_this; then
    touch -- "$gk_stamp" 2>/dev/null || true
    return 0
  fi
  mkdir -p -- "$gk_build" 2>/dev/null && [[ -w $gk_build ]] ||
    gk_fail "what is built is missing or older than the sources, and $root cannot be written by $(id -un); build it as the owner: $root/scripts/gatekeeper version"
  exec {gk_lock}>"$gk_build/lock"
  if ! flock --nonblock "$gk_lock"; then
    gk_say 'another build of this tree is under way, waiting for it'
    flock "$gk_lock"
  fi
  # The one before us may have done the work.
  gk_is_fresh || gk_is_built_from_this || gk_install_and_build
  exec {gk_lock}>&-
}

gk_is_fresh() {
  [[ -f $gk_stamp && -f $gk_installed ]] && gk_is_whole || return 1
  local newer
  newer=$(cd -- "$root" && find "${gk_inputs[@]}" -path native-hooks/build -prune -o -newercm "$gk_stamp" -print -quit 2>&1)
  [[ -z $newer ]]
}

# Same content under newer times: a checkout that was copied, or a branch that was left and entered again.
gk_is_built_from_this() {
  [[ -f $gk_stamp ]] && gk_is_whole && gk_is_installed && [[ $(<"$gk_stamp") == "$(gk_inputs_digest)" ]]
}

# What starts, and what runs load.
gk_is_whole() {
  [[ -f $root/dist/cli/gatekeeper.cjs && -f $root/dist/node-hook/gatekeeper-hook.cjs && -x $root/native-hooks/build/gk-supervise &&
    -f $root/native-hooks/build/libgk-hook.so ]]
}

gk_is_installed() {
  [[ -f $gk_installed && $(<"$gk_installed") == "$(gk_digest_of package-lock.json)" ]]
}

gk_install_and_build() {
  gk_need_tools
  gk_is_installed || gk_install
  local before
  before=$(gk_inputs_digest)
  gk_step 'building the command line and the daemon' compile gk_build_typescript
  gk_step 'building the supervisor and the library of hooks' native make -C "$root/native-hooks" --no-print-directory
  # The stamp's time has to lie before the second look, or an edit between the two would pass for built.
  printf '%s' "$before" >"$gk_stamp.new"
  if [[ $(gk_inputs_digest) == "$before" ]]; then mv -- "$gk_stamp.new" "$gk_stamp"; else rm -- "$gk_stamp.new"; fi
}

gk_install() {
  local digest
  digest=$(gk_digest_of package-lock.json)
  # No dependency needs its install script: binaries come as prebuilt packages.
  gk_step 'installing packages (npm ci)' install npm --prefix "$root" ci --ignore-scripts --no-audit --no-fund
  printf '%s' "$digest" >"$gk_installed"
}

gk_build_typescript() {
  (
    cd -- "$root" || exit 1
    node_modules/.bin/tsc -p tsconfig.build.json || exit 1
    # What no longer has a source would otherwise stay importable.
    find dist -name '*.js' -print | while IFS= read -r made; do
      local source=src/${made#dist/}
      [[ -f ${source%.js}.ts ]] || rm -- "$made"
    done
    # What starts, and what Node loads in runs, are files made of those; without them nothing would.
    find dist -name '*.cjs' -delete
    node_modules/.bin/tsx scripts/bundle.ts || exit 1
  )
}

# gk_step TITLE LOGNAME COMMAND…: one line on standard error; the full log when the command fails.
gk_step() {
  local title=$1 log=$gk_build/$2.log
  shift 2
  gk_say "$title"
  if ! "$@" >"$log" 2>&1 </dev/null; then
    cat -- "$log" >&2
    gk_fail "$title failed; the log above is also in $log"
  fi
}

gk_need_tools() {
  gk_need_node
  command -v npm >/dev/null || gk_fail 'npm is missing; install it: apt-get install npm'
  command -v gcc >/dev/null || gk_fail 'gcc is missing, the supervisor is built with it; install it: apt-get install gcc libc6-dev'
  command -v make >/dev/null || gk_fail 'make is missing, the supervisor is built with it; install it: apt-get install make'
  [[ -e /usr/include/linux/seccomp.h ]] || gk_fail 'the kernel headers are missing; install them: apt-get install linux-libc-dev libc6-dev'
}

gk_need_node() {
  command -v node >/dev/null || gk_fail 'node is missing; install Node.js 20.19 or newer: apt-get install nodejs (or https://nodejs.org)'
  local version major minor
  version=$(node -p process.versions.node)
  IFS=. read -r major minor _ <<<"$version"
  ((major > 20 || (major == 20 && minor >= 19))) ||
    gk_fail "node $version is too old; install Node.js 20.19 or newer: https://nodejs.org"
}

gk_digest_of() { (cd -- "$root" && sha256sum -- "$@" | sha256sum | cut -d' ' -f1); }

gk_inputs_digest() {
  (
    cd -- "$root" &&
      find "${gk_inputs[@]}" -path native-hooks/build -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1
  )
}

gk_build=$root/.gatekeeper-build
gk_stamp=$gk_build/stamp
gk_installed=$root/node_modules/.gatekeeper-install
gk_inputs=(package-lock.json package.json tsconfig.json tsconfig.build.json scripts/bundle.ts src native-hooks)
