#!/bin/bash
# The Kubernetes part of node-ready, for masters and workers. Without an order, the node is
# ready when it could bootstrap or join.
set -u
here=$(dirname "$0")
# shellcheck source=/dev/null
. /etc/groundplane/node.env
# shellcheck source-path=SCRIPTDIR source=cluster-state.sh
. "$here/cluster-state"

missing() {
  echo "$1"
  exit 1
}
healthy() { curl -skf --max-time 2 -o /dev/null "$1"; }

@answers@ || missing "@runtime@ does not run"
systemctl is-active --quiet groundplane-pod-filter || missing "the filter for traffic from pods is not loaded"
read_order
if [ "$order" = none ]; then exit 0; fi
read_phase
[ "$phase" = member ] || missing "not a member of the cluster: $phase, ${error:-$step}"
healthy http://127.0.0.1:10248/healthz || missing "the kubelet is not healthy"
if [ -n "${VOLUME_MOUNT_POINT:-}" ]; then
  grep -q " $VOLUME_MOUNT_POINT fuse.glusterfs " /proc/self/mounts || missing "the volume is not mounted"
fi
[ "$NODE_ROLE" != master ] || healthy "https://$NODE_ADDRESS:$API_PORT/readyz" || missing "the API server is not ready"
