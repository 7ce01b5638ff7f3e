#!/bin/bash
# release-fences: makes fenced nodes usable again, as soon as their machines have booted again and their Nodes are Ready. The
# kubelet of such a node knows that its former pods are gone. Ends when no node is fenced; runs on every master that fenced one.
set -u -o pipefail
export HOME=/root KUBECONFIG=/etc/kubernetes/admin.conf

here=$(dirname "$0")
marker=/var/lib/groundplane/fences
# One line per fenced node: NAME BOOT-BEFORE BOOT-NOW READY.
# shellcheck disable=SC2016 # the dollars are those of jq
query='.items[]
  | .metadata.annotations["groundplane.internal/fenced-boot"] as $before | select($before != null)
  | [.metadata.name, $before, .status.nodeInfo.bootID, (.status.conditions[] | select(.type == "Ready").status)]
  | join(" ")'

fenced_nodes() { kubectl get nodes --request-timeout=10s --output=json 2>/dev/null | jq --raw-output "$query"; }

while :; do
  if fenced=$(fenced_nodes); then
    if [ -z "$fenced" ]; then break; fi
    while read -r name before now ready; do
      if [ "$before" != "$now" ] && [ "$ready" = True ]; then "$here/fence-node" "$name" undo; fi
    done <<<"$fenced"
  fi
  sleep 3
done
rm -f "$marker"
