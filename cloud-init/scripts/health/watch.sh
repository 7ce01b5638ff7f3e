#!/bin/bash
# watch QUESTION…: prints the name of a question of answer.sh when its answer may have changed, so that it is asked then and not all
# the time, and a dot as a sign of life every 0.4 s, so that a connection without one is known to be lost. `view` sends this script over
# SSH. Changes nothing, and ends soon after its connection: nothing can be written then.
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
members=
# A write to a connection that has ended must fail, not kill this shell, which has processes to end.
trap '' PIPE
trap 'kill "$monitor" $members' EXIT
trap 'exit 0' HUP INT TERM

# Of the member of etcd on this machine: one number each, without a client of its own, which would cost ten times as much.
leadership() {
  (
    exec 3<>"/dev/tcp/127.0.0.1/$ETCD_METRICS_PORT" || exit
    printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3
    exec timeout 2 grep -E '^etcd_server_(is_leader|has_leader|leader_changes_seen_total) ' <&3
  ) 2>/dev/null
}
# By a process of its own: a member that does not answer must not delay the signs of life.
watch_member() {
  local now last=''
  while :; do
    now=$(leadership)
    if [ "$now" != "$last" ]; then say etcd-status; fi
    last=$now
    sleep 1
  done
}
if is_asked etcd-status; then
  watch_member &
  members=$!
fi

while :; do
  line=
  IFS= read -r -t 0.4 -u "$changes" line
  code=$?
  if [ "$code" -ne 0 ] && [ "$code" -le 128 ]; then exit 1; fi
  if [[ $line == *" $API_ADDRESS/"* ]]; then say floating-ip; else say .; fi
done
