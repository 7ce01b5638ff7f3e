#!/bin/bash
# join-cluster: this machine joins the members of etcd, which admit it by its certificate. Returns at once.
set -eu
here=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR source=../kubernetes/cluster-state.sh
. "$here/cluster-state"

read_order
if { [ "$order" = first ] || [ "$order" = other ]; } && has_etcd_data; then
  echo "this machine has begun a bootstrap and has etcd data: it continues that and does not join" >&2
  exit 1
fi
give_order join
