#!/bin/bash
# cluster-id: the identity of etcd's cluster, while this machine is a member that responds.
set -eu -o pipefail
here=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR source=../kubernetes/etcd-command.sh
. "$here/etcd-command"

etcd "$local_etcd" --command-timeout=3s endpoint status --write-out=fields | sed -n 's/^"ClusterID" : //p' | grep .
