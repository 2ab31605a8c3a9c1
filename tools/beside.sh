# shellcheck shell=sh disable=SC2034  # who sources it uses what is set here
# For scripts that run a command beside a server of its own; they source it and begin with `begin NAME`. It makes
# $folder, which goes with the script as $server does, once that is set, and sets what is said before the server's
# command: $as_owner, for neither PostgreSQL nor PgBouncer runs as root, and $until_we_end, for it does not outlive the
# script, whatever ends that.

begin() { # the name of the server
  folder=$(mktemp -d "${TMPDIR:-/tmp}/chronos-$1-XXXXXX")
  server=""
  trap finish EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  as_owner=""
  if [ "$(id -u)" -eq 0 ]; then
    chown postgres "$folder"
    as_owner="setpriv --reuid=postgres --regid=postgres --clear-groups"
  fi
  until_we_end="setpriv --pdeathsig=INT"
}

finish() {
  if [ -n "$server" ]; then
    kill -INT "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  rm -rf "$folder"
}

# The server is up when this command succeeds; when it has ended, or does not come, its log is shown.
wait_for() { # log, command …
  log=$1
  shift
  tries=0
  until "$@"; do
    tries=$((tries + 1))
    if [ "$tries" -gt 300 ] || ! kill -0 "$server" 2>/dev/null; then
      cat "$log" >&2
      exit 1
    fi
    sleep 0.1
  done
}
