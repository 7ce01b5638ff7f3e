#!/bin/bash
# reload-haproxy: makes HAProxy use its current configuration without cutting connections. Exit 0 when the new process serves
# what the old one did: if the API was available before, it must find a master that responds.
set -u
# shellcheck source=/dev/null
. /etc/groundplane/node.env

ask() { echo "$1" | socat -t 1 - UNIX-CONNECT:/run/haproxy/admin.sock 2>/dev/null; }
process() { ask "show info" | sed -n 's/^Pid: //p'; }
# The state of a server is unknown until its first check has ended.
masters_checked() { ask "show stat" | awk -F, '$1 == "masters" && $2 != "BACKEND" && $18 ~ /^UP/ && $37 ~ /^L7OK/' | grep -q .; }
serves() { masters_checked && curl -skf --max-time 2 -o /dev/null "https://127.0.0.1:$API_PORT/readyz"; }

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
is_another() { local now; now=$(process) && [ -n "$now" ] && [ "$now" != "$1" ]; }

served=no
if serves; then served=yes; fi
before=$(process)
# A unit that has failed too often would not start again.
systemctl reset-failed haproxy.service 2>/dev/null
systemctl reload-or-restart haproxy.service || exit 1
within 10 "HAProxy goes on with its former configuration" is_another "$before"
[ "$served" = no ] || within 4 "with its new configuration HAProxy finds no master that answers" serves
