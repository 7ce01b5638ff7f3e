#!/bin/bash
# label-namespaces STANDARD EXEMPT…: labels namespaces as privileged that have no label of their own and have pods which the Pod
# Security Standard refuses. Without the label, these pods could not be created again after the loss of a node. Run it before
# the standard becomes the default.
set -eu -o pipefail
export HOME=/root KUBECONFIG=/etc/kubernetes/admin.conf

standard=${1:?usage: label-namespaces STANDARD EXEMPT…}
shift
exempt=" $* "
label=pod-security.kubernetes.io/enforce

namespaces=$(kubectl get namespaces --selector "!$label" --output 'jsonpath={.items[*].metadata.name}')
for namespace in $namespaces; do
  if [[ "$exempt" = *" $namespace "* ]]; then continue; fi
  # The API server warns about the pods that a new label would refuse.
  warnings=$(kubectl label --dry-run=server namespace "$namespace" "$label=$standard" 2>&1)
  if [[ "$warnings" != *"existing pods in namespace"* ]]; then continue; fi
  kubectl label namespace "$namespace" "$label=privileged" >/dev/null
  echo "the namespace $namespace has pods that $standard refuses: it is labelled privileged"
done
