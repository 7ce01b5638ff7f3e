#!/bin/bash
# cluster-status: one line of JSON, {"order","phase","etcdData","step","error"}.
set -eu
here=$(dirname "$0")
# shellcheck source-path=SCRIPTDIR source=cluster-state.sh
. "$here/cluster-state"

json_string() {
  local text=${1//\\/\\\\}
  printf '"%s"' "${text//\"/\\\"}"
}

read_order
read_phase
etcd_data=false
if has_etcd_data; then etcd_data=true; fi
printf '{"order":%s,"phase":%s,"etcdData":%s,"step":%s,"error":%s}\n' \
  "$(json_string "$order")" "$(json_string "$phase")" "$etcd_data" "$(json_string "$step")" "$(json_string "$error")"
