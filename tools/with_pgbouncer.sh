#!/bin/sh
# Runs a command beside a PgBouncer of its own, in transaction mode, in front of the server that the PG*
# variables name: `tools/with_postgres.sh tools/with_pgbouncer.sh COMMAND …`. CHRONOS_TEST_POOLER has what
# a store's URL takes to go through it. Fewer sessions than there are connections, so that they are shared.
set -eu
. "$(dirname "$0")/beside.sh"

bouncer=$(command -v pgbouncer || echo /usr/sbin/pgbouncer)
[ -x "$bouncer" ] || { echo "$0: no PgBouncer here; tools/packages.sh test installs it" >&2; exit 1; }
begin pgbouncer

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
[ -z "$as_owner" ] || chown postgres "$folder/users" "$folder/pgbouncer.ini"

# shellcheck disable=SC2086  # lists of words on purpose
$as_owner $until_we_end "$bouncer" -q "$folder/pgbouncer.ini" >"$folder/log" 2>&1 &
server=$!
wait_for "$folder/log" [ -S "$folder/.s.PGSQL.6432" ]

export CHRONOS_TEST_POOLER="host=$folder&port=6432&pooler=transaction"
status=0
"$@" || status=$?
exit "$status"
