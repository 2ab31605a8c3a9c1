#!/bin/sh
# Three nodes on one PostgreSQL database with a synchronous standby, on loopback, for trying out:
# `tools/cluster.sh BINARY`. All of it lies in build/cluster and ends with Ctrl-C; the next call begins anew.
# Then, from another terminal, end one thing or another and look: each line printed says how.
# FIRST_PORT (8086): the nodes listen on it and the two after it, the databases on the two after those.
set -eu

binary=$(realpath "$1")
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
[ -x "$bin/postgres" ] || { echo "$0: no PostgreSQL here; tools/packages.sh cluster installs it" >&2; exit 1; }
port=${FIRST_PORT:-8086}
primary_port=$((port + 3))
standby_port=$((port + 4))

# PostgreSQL refuses to run as root, and must be able to reach its data.
as_owner=""
if [ "$(id -u)" -eq 0 ]; then
  as_owner="setpriv --reuid=postgres --regid=postgres --clear-groups"
  folder=$(mktemp -d /tmp/chronos-cluster-XXXXXX)
  chmod 755 "$folder"
else
  folder=$(cd "$(dirname "$0")/.." && pwd)/build/cluster
  rm -rf "$folder"
  mkdir -p "$folder"
fi
mkdir "$folder/db1" "$folder/db2"
[ -z "$as_owner" ] || chown postgres "$folder/db1" "$folder/db2"

nodes=""
finish() {
  trap - EXIT INT TERM
  echo "ending …"
  # shellcheck disable=SC2086  # a list of numbers
  [ -z "$nodes" ] || kill $nodes 2>/dev/null || true
  wait
  for db in db1 db2; do
    $as_owner "$bin/pg_ctl" stop -m fast -w -D "$folder/$db/data" >/dev/null 2>&1 || true
  done
  [ -z "$as_owner" ] || rm -rf "$folder"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

start_database() { # folder, port
  $as_owner "$bin/pg_ctl" start -w -D "$1/data" -l "$1/log" \
    -o "-p $2 -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c shared_buffers=64MB" >/dev/null
}

cd "$folder"
$as_owner "$bin/initdb" --pgdata="$folder/db1/data" --username=postgres --auth=trust --encoding=UTF8 --locale=C \
  >"$folder/initdb.log" 2>&1 || { cat "$folder/initdb.log" >&2; exit 1; }
start_database "$folder/db1" "$primary_port"
$as_owner "$bin/pg_basebackup" -D "$folder/db2/data" -R -X stream -c fast \
  -d "host=127.0.0.1 port=$primary_port user=postgres application_name=second"
start_database "$folder/db2" "$standby_port"
sql() {
  "$bin/psql" -XAqt -h 127.0.0.1 -p "$primary_port" -U postgres -c "$1"
}
sql "ALTER SYSTEM SET synchronous_standby_names = 'second'"
sql "SELECT pg_reload_conf()" >/dev/null

url="postgres://postgres@127.0.0.1:$primary_port,127.0.0.1:$standby_port/postgres?target_session_attrs=read-write"
for number in 0 1 2; do
  "$binary" serve --data-dir "$folder/node$number" --store "$url" --listen "127.0.0.1:$((port + number))" \
    --allow-commands >"$folder/node$number.log" 2>&1 &
  nodes="$nodes $!"
  tries=0
  until "$binary" health --server "http://127.0.0.1:$((port + number))" -q 2>/dev/null; do
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || { cat "$folder/node$number.log" >&2; exit 1; }
    sleep 0.1
  done
done

# shellcheck disable=SC2086  # a list of numbers
set -- $nodes
cat <<END
three nodes:      http://127.0.0.1:$port  :$((port + 1))  :$((port + 2))     (logs: $folder/node*.log)
their store:      $url
the admin's key:  export CHRONOS_API_KEY=$(cat "$folder/node0/admin.key")

try:              $binary submit --every 1s -- date
kill a node:      kill -9 $1
stop one:         kill -STOP $2     and later:  kill -CONT $2
kill the primary: $as_owner $bin/pg_ctl stop -m immediate -D $folder/db1/data
promote the other:
                  $as_owner $bin/pg_ctl promote -D $folder/db2/data
                  psql -h 127.0.0.1 -p $standby_port -U postgres -c 'ALTER SYSTEM RESET synchronous_standby_names' \\
                       -c 'SELECT pg_reload_conf()'      (commits wait for a standby until one is there)
what is wrong:    $binary doctor --data-dir $folder/node0 --store '$url'

Ctrl-C ends all of it.
END
wait
