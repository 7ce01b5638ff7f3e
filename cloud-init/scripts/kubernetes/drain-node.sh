#!/bin/bash
# drain-node NAME SECONDS: no new pods on the node, and those it has move elsewhere. A node that does not answer is only
# cordoned: nothing on it would confirm an eviction, and its pods go with its Node object.
set -eu
export HOME=/root KUBECONFIG=/etc/kubernetes/admin.conf

usage="usage: drain-node NAME SECONDS"
name=${1:?$usage}
seconds=${2:?$usage}

if [ -z "$(kubectl get node "$name" --ignore-not-found -o name)" ]; then
  echo "no node $name in the cluster"
# Asked of the kubelet itself: the Node object calls a machine Ready until 40 s after its death.
elif kubectl get --raw "/api/v1/nodes/$name/proxy/healthz" --request-timeout=10s >/dev/null 2>&1; then
  kubectl drain "$name" --ignore-daemonsets --delete-emptydir-data --force --timeout="${seconds}s"
else
  kubectl cordon "$name"
  echo "$name does not answer: its pods are not drained"
fi
