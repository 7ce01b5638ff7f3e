#!/bin/bash
# watch QUESTION…: prints the name of a question of answer.sh when its answer may have changed, so that it is asked then and not all
# the time. `view` sends this script over SSH. Changes nothing, and ends soon after its connection: the dot every five seconds
# cannot be written then.
set -u
: "${NODE_ENVIRONMENT:=/etc/groundplane/node.env}"
# shellcheck source=/dev/null
. "$NODE_ENVIRONMENT"
: "${ETCD_METRICS_PORT:=2381}"

is_asked() { [[ " $questions " == *" $1 "* ]]; }
questions=$*
say() { echo "$1" 2>/dev/null || exit 0; }

# The kernel reports each change of an address. Where none is watched, something else must be waited for.
if is_asked floating-ip; then
  exec {changes}< <(exec ip -4 -oneline monitor address)
else
  exec {changes}< <(exec sleep infinity)
fi
monitor=$!
# A write to a connection that has ended must fail, not kill this shell, which has a process to end.
trap '' PIPE
trap 'kill "$monitor"' EXIT
trap 'exit 0' HUP INT TERM

# Of the member of etcd on this machine: one number each, without a client of its own, which would cost ten times as much.
leadership() {
  (
    exec 3<>"/dev/tcp/127.0.0.1/$ETCD_METRICS_PORT" || exit
    printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3
    exec timeout 2 grep -E '^etcd_server_(is_leader|has_leader|leader_changes_seen_total) ' <&3
  ) 2>/dev/null
}

last=
while :; do
  for _ in 1 2 3 4 5; do
    line=
    IFS= read -r -t 1 -u "$changes" line
    code=$?
    if [ "$code" -eq 0 ]; then
      if [[ $line == *" $API_ADDRESS/"* ]]; then say floating-ip; fi
    elif [ "$code" -le 128 ]; then
      exit 1
    elif is_asked etcd-status; then
      now=$(leadership)
      if [ "$now" != "$last" ]; then say etcd-status; fi
      last=$now
    fi
  done
  say .
done
