#!/usr/bin/env bash
# Proves the README's two commands where nothing is installed: makes a Debian 12 root with git and
# make only, clones this repository into it and runs `make run` (until it answers a job) and `make
# test` there, both again with an empty home directory. Needs root and debootstrap.
#
#   tools/bare_root.sh [directory for the root; default: a temporary one, removed afterwards]
set -euo pipefail
repository=$(cd "$(dirname "$0")/.." && pwd)
root=${1:-$(mktemp -d)}
[ $# -gt 0 ] || trap 'cleanup; rm -rf "$root"' EXIT
[ $# -eq 0 ] || trap 'cleanup' EXIT

cleanup() {
  umount "$root/proc" "$root/dev/pts" "$root/dev/shm" "$root/dev" 2>/dev/null || true
}
inside() { chroot "$root" env -i HOME="$1" PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb bash -euc "$2"; }

if [ ! -e "$root/etc/debian_version" ]; then
  # The mirror and proxy of this machine's own apt, so that the script names none.
  mirror=$(grep -rhoE '^(deb |URIs:) *(\[[^]]*\] )?[^ ]+' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null |
    grep -oE '[a-z]+://[^ ]+' | grep -v security | head -1)
  debootstrap --variant=minbase --include=git,make,ca-certificates bookworm "$root" "$mirror"
fi
cp -r /etc/apt/. "$root/etc/apt/"
cp /etc/resolv.conf /etc/hosts "$root/etc/"
mkdir -p "$root/dev/pts" "$root/dev/shm"
mount --bind /dev "$root/dev"
mount --bind /dev/pts "$root/dev/pts"
mount -t tmpfs tmpfs "$root/dev/shm"
mount -t proc proc "$root/proc"

rm -rf "$root/srv/chronos" && git clone -q "$repository" "$root/srv/chronos"
mkdir -p "$root/root" "$root/empty-home"

for home in /root /empty-home; do
  echo "== make run, home $home"
  inside "$home" '
    cd /srv/chronos && rm -rf chronos-data
    make run ARGS="--listen 127.0.0.1:8086" >/tmp/run.log 2>&1 & server=$!
    for i in $(seq 1800); do
      grep -q "listening on" /tmp/run.log && break
      kill -0 $server 2>/dev/null || { cat /tmp/run.log; exit 1; }
      sleep 1
    done
    grep "listening on" /tmp/run.log
    build/release/chronos submit --name bare-root --wait -- echo hello from a bare root
    pkill -TERM -x chronos; wait $server || true'
  echo "== make test, home $home"
  inside "$home" 'cd /srv/chronos && make test'
done
echo "bare root: both commands passed, twice"
