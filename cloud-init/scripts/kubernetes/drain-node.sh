#!/bin/bash
# drain-node NAME SECONDS: cordons the node and evicts its pods. A node that does not respond is only cordoned: nothing on it
# would confirm an eviction, and its pods are removed with its Node object.
set -eu
export HOME=/root KUBECONFIG=/etc/kubernetes/admin.conf

usage="usage: drain-node NAME SECONDS"
name=${1:?$usage}
seconds=${2:?$usage}

if [ -z "$(kubectl get node "$name" --ignore-not-found -o name)" ]; then
  echo "no node $name in the cluster"
# Asks the kubelet directly: the Node object stays Ready for 40 s after a failure.
elif kubectl get --raw "/api/v1/nodes/$name/proxy/healthz" --request-timeout=10s >/dev/null 2>&1; then
  kubectl drain "$name" --ignore-daemonsets --delete-emptydir-data --force --timeout="${seconds}s"
else
  kubectl cordon "$name"
  echo "$name does not answer: its pods are not drained"
fi
