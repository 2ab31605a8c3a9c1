#!/bin/sh
# Installs the Debian packages Chronos needs and does not find: `tools/packages.sh build` for the
# program, `server` for the same without its dashboard (-DCHRONOS_DASHBOARD=OFF), `test` for everything
# the tests need too, `check` for the deeper checks, `bench`, `peers` and `screens` for the benchmarks,
# `screenshots` for the pictures of the dashboard. As root, or through sudo. Does nothing, and needs no network, when all are there.
set -eu

server="g++ cmake ninja-build pkg-config ccache mold libboost1.81-dev libsimdjson-dev libabsl-dev
  libcli11-dev libtomlplusplus-dev libspdlog-dev libfmt-dev libcurl4-openssl-dev libsqlite3-dev libpq-dev
  libssl-dev prometheus-cpp-dev zlib1g-dev libjemalloc-dev tzdata ca-certificates"
# The dashboard is built by npm.
build="$server nodejs npm"
# The end-to-end tests drive the real binary from Python; the examples call it with curl; schedules are
# compared with those of two npm packages; tools/with_postgres.sh starts a PostgreSQL server, and
# tools/with_pgbouncer.sh a pooler in front of it; strace kills servers at the n-th system call and makes
# their disks fail; wires between machines are cut with iproute2; the dashboard is driven in Chromium.
test="$build libgtest-dev libgmock-dev python3 python3-pytest python3-aiosmtpd curl procps postgresql
  pgbouncer iproute2 strace chromium"
check="$test clang-19 clang-tidy-19 clang-format-19 libclang-rt-19-dev"
bench="$build libbenchmark-dev"
# The servers Chronos is measured beside; each is started for a measurement, none of Debian's services is used.
peers="$bench python3 beanstalkd redis-server postgresql"
# The dashboard's screens are measured in a browser.
screens="$bench chromium"

# The pictures of the dashboard are taken with these letters.
screenshots="$build chromium fonts-inter fonts-jetbrains-mono"

# A cluster for trying out (tools/cluster.sh).
cluster="$build postgresql"

case "${1:-}" in
  server) wanted=$server ;;
  build) wanted=$build ;;
  cluster) wanted=$cluster ;;
  test) wanted=$test ;;
  check) wanted=$check ;;
  bench) wanted=$bench ;;
  peers) wanted=$peers ;;
  screens) wanted=$screens ;;
  screenshots) wanted=$screenshots ;;
  *) echo "usage: $0 server|build|test|check|bench|peers|screens|screenshots|cluster" >&2; exit 2 ;;
esac

# Node may have come from elsewhere: a second one is not installed beside it.
is_command() {
  case "$1" in
    nodejs) command -v node >/dev/null ;;
    npm) command -v npm >/dev/null ;;
    *) return 1 ;;
  esac
}

missing=""
for package in $wanted; do
  is_command "$package" && continue
  state=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
  [ "$state" = "install ok installed" ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

echo "installing:$missing"
as_root=""
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "needs root or sudo to install:$missing" >&2; exit 1; }
  as_root=sudo
fi
$as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q
# shellcheck disable=SC2086  # a list of words on purpose
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
