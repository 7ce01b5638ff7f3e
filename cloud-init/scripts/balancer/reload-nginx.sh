#!/bin/bash
# reload-nginx: makes nginx use its current configuration without cutting connections. Exit 0 when new workers serve what the old
# ones did: if the API was available before, it must find a master that responds.
set -u
# shellcheck source=/dev/null
. /etc/groundplane/node.env

# The workers that take new connections: those of a former configuration only end theirs.
workers() {
  local main
  main=$(cat /run/nginx.pid 2>/dev/null) && [ -n "$main" ] && pgrep --parent "$main" --full '^nginx: worker process$'
}
serves() { curl -skf --max-time 2 -o /dev/null "https://127.0.0.1:$API_PORT/readyz"; }
are_others() {
  local now
  now=$(workers) && [ -z "$(comm -12 <(sort <<<"$now") <(sort <<<"$1"))" ]
}

# within SECONDS WHAT COMMAND…
within() {
  local end=$((SECONDS + $1)) what=$2
  shift 2
  until "$@"; do
    if ((SECONDS >= end)); then
      echo "$what"
      exit 1
    fi
    sleep 0.1
  done
}

served=no
if serves; then served=yes; fi
before=$(workers)
# A unit that has failed too often would not start again.
systemctl reset-failed nginx.service 2>/dev/null
systemctl reload-or-restart nginx.service || exit 1
within 10 "nginx goes on with its former configuration" are_others "$before"
[ "$served" = no ] || within 4 "with its new configuration nginx finds no master that answers" serves
