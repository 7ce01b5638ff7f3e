#!/bin/bash
# The part of node-ready for etcd machines. Without an order, the machine is ready when it could bootstrap or join.
set -u
here=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR source=../kubernetes/cluster-state.sh
. "$here/cluster-state"

missing() {
  echo "$1"
  exit 1
}
healthy() { curl -sf --max-time 2 -o /dev/null "$1"; }

@answers@ || missing "@runtime@ does not run"
healthy http://127.0.0.1:10248/healthz || missing "the kubelet is not healthy"
read_order
if [ "$order" = none ]; then exit 0; fi
read_phase
[ "$phase" = member ] || missing "not a member of etcd: $phase, ${error:-$step}"
healthy http://127.0.0.1:2381/health || missing "etcd is not healthy"
