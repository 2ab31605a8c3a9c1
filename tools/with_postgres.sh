#!/bin/sh
# Runs a command beside a PostgreSQL server of its own, which goes with it: `tools/with_postgres.sh COMMAND …`.
# The server listens on a socket in a temporary directory only; the PG* variables tell where. What it is
# told to keep it may lose at a power cut (fsync is off): it is for tests. More settings of the server:
# POSTGRES_SETTINGS="-c name=value …".
set -eu
. "$(dirname "$0")/beside.sh"

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
[ -x "$bin/postgres" ] || { echo "$0: no PostgreSQL here; tools/packages.sh test installs it" >&2; exit 1; }
begin postgres

# shellcheck disable=SC2086  # lists of words on purpose
$as_owner "$bin/initdb" --pgdata="$folder/data" --username=postgres --auth=trust --encoding=UTF8 \
  --locale=C --no-sync >"$folder/initdb.log" 2>&1 || { cat "$folder/initdb.log" >&2; exit 1; }
# shellcheck disable=SC2086
$as_owner $until_we_end "$bin/postgres" -D "$folder/data" -k "$folder" -c listen_addresses= -c fsync=off \
  -c full_page_writes=off -c max_connections=200 -c shared_buffers=64MB -c autovacuum_naptime=5 \
  ${POSTGRES_SETTINGS:-} >"$folder/server.log" 2>&1 &
server=$!

export PGHOST="$folder" PGPORT=5432 PGUSER=postgres PGDATABASE=postgres
unset PGSERVICE PGPASSWORD
wait_for "$folder/server.log" "$bin/pg_isready" -q

status=0
"$@" || status=$?
exit "$status"
