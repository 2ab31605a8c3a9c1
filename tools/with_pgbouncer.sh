#!/bin/sh
# Runs a command beside a PgBouncer of its own, in transaction mode, in front of the server that the PG*
# variables name: `tools/with_postgres.sh tools/with_pgbouncer.sh COMMAND …`. CHRONOS_TEST_POOLER has what
# a store's URL takes to go through it. Fewer sessions than there are connections, so that they are shared.
set -eu

bouncer=$(command -v pgbouncer || echo /usr/sbin/pgbouncer)
[ -x "$bouncer" ] || { echo "$0: no PgBouncer here; tools/packages.sh test installs it" >&2; exit 1; }

folder=$(mktemp -d "${TMPDIR:-/tmp}/chronos-pgbouncer-XXXXXX")
pooler=""
finish() {
  if [ -n "$pooler" ]; then
    kill -INT "$pooler" 2>/dev/null || true
    wait "$pooler" 2>/dev/null || true
  fi
  rm -rf "$folder"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

printf '"%s" ""\n' "$PGUSER" >"$folder/users"
cat >"$folder/pgbouncer.ini" <<END
[databases]
* = host=$PGHOST port=$PGPORT
[pgbouncer]
pool_mode = transaction
default_pool_size = 5
max_client_conn = 500
auth_type = trust
auth_file = $folder/users
listen_addr =
unix_socket_dir = $folder
listen_port = 6432
END

# It refuses to run as root.
as_owner=""
if [ "$(id -u)" -eq 0 ]; then
  chown -R postgres "$folder"
  as_owner="setpriv --reuid=postgres --regid=postgres --clear-groups"
fi
# shellcheck disable=SC2086  # a list of words on purpose
$as_owner setpriv --pdeathsig=INT "$bouncer" -q "$folder/pgbouncer.ini" >"$folder/log" 2>&1 &
pooler=$!

tries=0
until [ -S "$folder/.s.PGSQL.6432" ]; do
  tries=$((tries + 1))
  if [ "$tries" -gt 100 ] || ! kill -0 "$pooler" 2>/dev/null; then
    cat "$folder/log" >&2
    exit 1
  fi
  sleep 0.1
done

export CHRONOS_TEST_POOLER="host=$folder&port=6432&pooler=transaction"
status=0
"$@" || status=$?
exit "$status"
