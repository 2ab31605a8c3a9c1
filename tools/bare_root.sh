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

cleanup() { # the root is a mount of its own: this takes with it what tests mounted in it
  umount --recursive "$root" 2>/dev/null || true
}
# Where this machine's npm looks, if it has one and is told.
registry=$(npm config get registry 2>/dev/null || true)
authorities=$(npm config get cafile 2>/dev/null || true)
inside() { # inside HOME COMMANDS: in the root, with nothing of our environment but the way to the mirrors
  chroot "$root" env -i ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
    ${registry:+npm_config_registry="$registry"} \
    $([ ! -f "$root/etc/npm-authorities.crt" ] || echo npm_config_cafile=/etc/npm-authorities.crt) \
    HOME="$1" PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb bash -euc "$2"
}

# The Debian mirror and the settings of this machine's own apt, so that the script names none.
mirror=$(grep -rhsoE '[a-z]+://[^ ]+/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d | head -1 || true)
if [ ! -e "$root/etc/debian_version" ]; then
  debootstrap --variant=minbase --include=git,make,ca-certificates bookworm "$root" "$mirror"
fi
cp -r /etc/apt/apt.conf.d/. "$root/etc/apt/apt.conf.d/"
cp /etc/resolv.conf /etc/hosts "$root/etc/"
[ ! -f "$authorities" ] || cp "$authorities" "$root/etc/npm-authorities.crt"
mount --bind "$root" "$root"  # a root is a mount point, as a machine's is: what makes namespaces needs one
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
    make run >/tmp/run.log 2>&1 & server=$!
    for i in $(seq 1800); do
      grep -q "listening on" /tmp/run.log && break
      kill -0 $server 2>/dev/null || { cat /tmp/run.log; exit 1; }
      sleep 1
    done
    grep "listening on" /tmp/run.log
    build/release/chronos submit --name bare-root --wait -- echo hello from a bare root
    # Only the server of this root: the machine may have others, and there is no pkill here.
    for process in /proc/[0-9]*; do
      [ "$(readlink $process/exe)" != /srv/chronos/build/release/chronos ] || kill -TERM ${process#/proc/}
    done
    wait $server || true'
  echo "== make test, home $home"
  inside "$home" 'cd /srv/chronos && make test'
done
echo "bare root: both commands passed, twice"
