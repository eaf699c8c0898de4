#!/usr/bin/env bash
# The life of the package in a root of its own; runs inside `unshare --mount --pid --fork`.
#   life.sh OLD.deb NEW.deb      exits with 77 where such a root cannot be made
set -euo pipefail
old=$1 new=$2

mount --make-rprivate / || { echo "no mount namespace here" >&2; exit 77; }
base=/media # covered in this namespace only
mount -t tmpfs tmpfs "$base"
mkdir "$base"/{upper,work,root}
mount -t overlay overlay -o "lowerdir=/,upperdir=$base/upper,workdir=$base/work" "$base/root" ||
  { echo "no overlay here" >&2; exit 77; }
root=$base/root
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/run" # no systemd in it
mount -t tmpfs tmpfs "$root/tmp"
cp "$old" "$root/tmp/old.deb"
cp "$new" "$root/tmp/new.deb"

within=(chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive HOME=/root)
inside() { "${within[@]}" "$@"; }
fail() { echo "FAILED: $*" >&2; exit 1; }
# As the unit says: its user, its folders, its command.
exec_start=$(sed -n 's/^ExecStart=//p' "$(dirname "$0")/../../deploy/systemd/parley.service")
serve() {
  # Not by the function: a signal must reach the program itself.
  "${within[@]}" setpriv --reuid parley --regid parley --clear-groups --no-new-privs --bounding-set -all \
    $exec_start >"$base/log" 2>&1 &
  server=$!
  for _ in $(seq 100); do
    inside curl -fs "$url/healthz" >/dev/null 2>&1 && return
    kill -0 $server 2>/dev/null || break
    sleep 0.1
  done
  cat "$base/log" >&2
  fail "the service does not answer"
}
stop() { kill -TERM $server; wait $server || fail "the service ended badly"; }
call() { inside curl -fsS --noproxy '*' -H 'Content-Type: application/json' "$@"; }
value() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
url=http://127.0.0.1:$port

inside dpkg --install /tmp/old.deb
inside getent passwd parley >/dev/null || fail "no service user"
[ "$(inside stat -c '%U %a' /var/lib/parley)" = "parley 700" ] || fail "the data folder is not the service's own"
[ "$(inside stat -c '%U %a' /etc/parley/parley.toml)" = "root 644" ] || fail "the settings are not root's"
inside parley version
inside bash -c '. /usr/share/bash-completion/completions/parley && complete -p parley' >/dev/null
echo "== installed"

sed -i "s/127.0.0.1:8080/127.0.0.1:$port/" "$root/etc/parley/parley.toml"
echo '# edited by the admin' >>"$root/etc/parley/parley.toml"
serve
inside parley user add root --email root@example.org --generate --config /etc/parley/parley.toml >/dev/null
token=$(call "$url/v1/users" -d '{"username":"ada","email":"ada@example.org","password":"correct horse"}' | value access_token)
room=$(call "$url/v1/rooms" -H "Authorization: Bearer $token" \
  -d '{"name":"General","kind":"group","visibility":"public"}' | value id)
call "$url/v1/rooms/$room/messages" -H "Authorization: Bearer $token" \
  -d '{"nonce":"n1","type":"TEXT","content":"before the upgrade"}' >/dev/null
inside parley backup /tmp/backup --config /etc/parley/parley.toml
[ "$(inside stat -c %U /var/lib/parley/parley.db)" = parley ] || fail "a command of root took the database over"
inside parley doctor --config /etc/parley/parley.toml || fail "the doctor is not content"
stop
echo "== chatted"

inside dpkg --install /tmp/new.deb </dev/null
[ "$(inside dpkg-query -W -f '${Version}' parley)" = 0.1.1 ] || fail "not the new version"
grep -q 'edited by the admin' "$root/etc/parley/parley.toml" || fail "the admin's settings were lost"
serve
call "$url/v1/rooms/$room/messages" -H "Authorization: Bearer $token" | grep -q 'before the upgrade' ||
  fail "the message was lost"
stop
echo "== upgraded"

inside dpkg --remove parley
[ ! -e "$root/usr/bin/parley" ] || fail "the program stayed"
[ -e "$root/var/lib/parley/parley.db" ] && [ -e "$root/etc/parley/parley.toml" ] || fail "data or settings went"
echo "== removed"

inside dpkg --purge parley
[ ! -e "$root/var/lib/parley" ] && [ ! -e "$root/etc/parley" ] || fail "something stayed after the purge"
echo "== purged"
