#!/bin/bash
# bootstrap-cluster first|other INITIAL_CLUSTER: this master starts the cluster together with the others that
# INITIAL_CLUSTER names (`master-1=https://<address>:2380,…`); exactly one of them is `first`. Returns at once.
set -eu
here=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR source=cluster-state.sh
. "$here/cluster-state"

if [ $# -ne 2 ] || { [ "$1" != first ] && [ "$1" != other ]; }; then
  echo "usage: bootstrap-cluster first|other INITIAL_CLUSTER" >&2
  exit 2
fi
member='[a-z0-9-]+=https://[0-9.]+:2380'
if ! [[ "$2" =~ ^$member(,$member)*$ ]]; then
  echo "not a list of etcd members: $2" >&2
  exit 2
fi
read_order
# A node that has begun to join has, or may have, data of a running cluster.
if [ "$order" = join ] && has_etcd_data; then
  echo "this node is joining a cluster and has its data: it cannot bootstrap another" >&2
  exit 1
fi
give_order "$1" "$2"
