# Sourced by ./run and ./test: installs Debian packages that are missing, saying what and why.

parley_packages_build="g++ cmake ninja-build ccache pkg-config libboost1.81-dev libboost-json1.81-dev libsimdjson-dev libssl-dev libargon2-dev libsqlite3-dev zlib1g-dev libspdlog-dev libfmt-dev libcli11-dev libtomlplusplus-dev libutf8proc-dev libmimalloc-dev libpq-dev librdkafka-dev libhiredis-dev libcurl4-openssl-dev python3 util-linux"
parley_packages_test="git faketime libgtest-dev libgmock-dev python3-venv clang-19 libclang-rt-19-dev universal-ctags openssl strace chromium adduser dpkg-dev file groff curl systemd libvips42 ffmpeg"
# What a cluster runs beside Parley: ./cluster, and the tests that start one.
parley_packages_cluster="redis-server postgresql-15 nginx-light default-jre-headless maven python3"
# Node.js may have come from elsewhere than Debian, with an npm of its own that Debian's would fight.
command -v node >/dev/null || parley_packages_build="$parley_packages_build nodejs"
command -v npm >/dev/null || parley_packages_build="$parley_packages_build npm"

# need WHY PACKAGE...: installs those of the packages that are missing.
need() {
  local why=$1 missing="" package
  shift
  for package in "$@"; do
    dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' || missing="$missing $package"
  done
  [ -z "$missing" ] && return 0
  if ! command -v apt-get >/dev/null; then
    echo "parley: this system has no apt-get; install the equivalents of:$missing" >&2
    return 1
  fi
  local as_root=""
  if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
      echo "parley: not root and no sudo; as root run: apt-get install$missing" >&2
      return 1
    fi
    as_root=sudo
  fi
  echo "==> Installing what is missing $why:$missing"
  local log
  log=$(mktemp)
  if { $as_root apt-get update && $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
    rm -f "$log"
  else
    tail -n 30 "$log" >&2
    echo "parley: apt-get failed; the whole of its output is in $log" >&2
    return 1
  fi
}

# want WHAT PACKAGE...: the same for what Parley works without; says so where it must.
want() {
  local what=$1
  shift
  need "for $what" "$@" || echo "parley: goes on without $what; parley doctor says what is missing" >&2
}
