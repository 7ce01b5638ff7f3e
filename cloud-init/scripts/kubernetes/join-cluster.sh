#!/bin/bash
# join-cluster <TOKEN: this node joins the cluster through the floating IP, as soon as the API responds and knows the token on
# stdin. Returns at once. The token remains on disk until the node is a member, so that a restarted node continues.
set -eu
here=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR source=cluster-state.sh
. "$here/cluster-state"

IFS= read -r token || [ -n "$token" ]
if ! [[ "$token" =~ ^[a-z0-9]{6}\.[a-z0-9]{16}$ ]]; then
  echo "stdin holds no bootstrap token" >&2
  exit 2
fi
read_order
if { [ "$order" = first ] || [ "$order" = other ]; } && has_etcd_data; then
  echo "this master has begun a bootstrap and has etcd data: it continues that and does not join" >&2
  exit 1
fi
read_phase
if [ "$phase" = member ]; then exit 0; fi
mkdir -p "$state_folder"
(umask 077 && printf '%s\n' "$token" >"$join_token.new")
mv "$join_token.new" "$join_token"
give_order join
