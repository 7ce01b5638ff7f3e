#!/bin/bash
# join-cluster: this node joins the cluster through the floating IP, as soon as the API responds. Returns at once.
set -eu
here=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR source=cluster-state.sh
. "$here/cluster-state"

read_order
if { [ "$order" = first ] || [ "$order" = other ]; } && has_etcd_data; then
  echo "this master has begun a bootstrap and has etcd data: it continues that and does not join" >&2
  exit 1
fi
give_order join
