#!/bin/bash
# The part of node-ready for etcd machines whose etcd is a service. Without an order, the machine is ready when it could bootstrap
# or join.
set -u
here=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR source=../kubernetes/cluster-state.sh
. "$here/cluster-state"

missing() {
  echo "$1"
  exit 1
}

systemctl is-active --quiet groundplane-programs || missing "the program of etcd is not available"
read_order
if [ "$order" = none ]; then exit 0; fi
read_phase
[ "$phase" = member ] || missing "not a member of etcd: $phase, ${error:-$step}"
curl -sf --max-time 2 -o /dev/null http://127.0.0.1:2381/health || missing "etcd is not healthy"
