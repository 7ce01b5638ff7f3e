#!/bin/bash
# drain-node NAME SECONDS: no new pods on the node, and those it has move elsewhere. A node that does not answer is only
# cordoned: nothing on it would confirm an eviction, and its pods go with its Node object.
set -eu
export HOME=/root KUBECONFIG=/etc/kubernetes/admin.conf

usage="usage: drain-node NAME SECONDS"
name=${1:?$usage}
seconds=${2:?$usage}

found=$(kubectl get node "$name" --ignore-not-found \
  -o 'jsonpath=found {.status.conditions[?(@.type=="Ready")].status}')
case $found in
  "")
    echo "no node $name in the cluster"
    ;;
  "found True")
    kubectl drain "$name" --ignore-daemonsets --delete-emptydir-data --force --timeout="${seconds}s"
    ;;
  *)
    kubectl cordon "$name"
    echo "$name does not answer: its pods are not drained"
    ;;
esac
