#!/bin/bash
# fence-node NAME [undo]: tells the cluster that the machine NAME is off, so that its pods are removed and their volumes are
# free for their successors. The caller has made sure at the hypervisor that the machine is off. Run it on a master other
# than NAME. The taint goes by release-fences once the machine has booted again, or with `undo`.
set -eu
export HOME=/root KUBECONFIG=/etc/kubernetes/admin.conf

taint=node.kubernetes.io/out-of-service
note=groundplane.internal/fenced-boot
usage="usage: fence-node NAME [undo]"
name=${1:?$usage}

if [ "${2:-}" = undo ]; then
  kubectl annotate node "$name" "$note-"
  kubectl taint node "$name" "$taint-" 2>&1 | { grep -v 'not found' || true; }
  exit 0
fi

# The boot that has ended: a Node with another one is a machine that runs again.
boot=$(kubectl get node "$name" --output 'jsonpath={.status.nodeInfo.bootID}')
kubectl annotate --overwrite node "$name" "$note=$boot"
kubectl taint --overwrite node "$name" "$taint=nodeshutdown:NoExecute"
touch /var/lib/groundplane/fences
systemctl start --no-block groundplane-release-fences.service
