#!/bin/bash
# apply-control-plane: the static pods of this master, whose etcd has machines of its own, follow kubeadm's configuration and
# patches as they are now. Those that differ restart, one after the other; exit 0 when each of them works. Fine on a master that
# is no member yet: it begins with what is there then.
set -eu -o pipefail
here=$(dirname "$0")
# shellcheck source=/dev/null
. /etc/groundplane/node.env
# shellcheck source-path=SCRIPTDIR source=../kubernetes/cluster-state.sh
. "$here/cluster-state"

configuration=$(dirname "$KUBEADM_INIT_CONFIGURATION")/control-plane.yaml
manifests=/etc/kubernetes/manifests
# A busy machine may need most of it, as with the default probes.
patience=180

process_of() { pgrep --oldest --full "^$1 " || true; }
is_successor() { local now; now=$(process_of "$1") && [ -n "$now" ] && [ "$now" != "$2" ]; }

# follow POD HEALTH
follow() {
  local former end=$((SECONDS + patience))
  if cmp --silent "$rendered/$1.yaml" "$manifests/$1.yaml"; then return 0; fi
  former=$(process_of "$1")
  mv "$rendered/$1.yaml" "$manifests/$1.yaml"
  # Until its successor runs, the old one would respond.
  until is_successor "$1" "$former" && curl -skf --max-time 2 -o /dev/null "$2"; do
    if ((SECONDS >= end)); then
      echo "$1 does not work with its new configuration" >&2
      exit 1
    fi
    sleep 0.2
  done
}

# When the API server gets a default standard for pods, the pods that run already must stay allowed.
keep_namespaces() {
  local flag=--admission-control-config-file=
  if grep -q -e "$flag" "$manifests/kube-apiserver.yaml" || ! grep -q -e "$flag" "$rendered/kube-apiserver.yaml"; then
    return 0
  fi
  # shellcheck disable=SC2086 # the names are words
  "$here/label-namespaces" "$POD_SECURITY" $CLUSTER_NAMESPACES
}

read_phase
if [ "$phase" != member ]; then exit 0; fi
# On the same file system as the manifests, for atomic renames: the kubelet must never read a partial manifest.
rendered=$(mktemp -d /etc/kubernetes/groundplane.XXXXXX)
trap 'rm -rf "$rendered"' EXIT
if ! said=$(KUBEADM_INIT_DRYRUN_DIR=$rendered kubeadm init phase control-plane all --dry-run --config "$configuration" 2>&1); then
  printf '%s\n' "$said" >&2
  exit 1
fi
keep_namespaces
follow kube-apiserver "https://$NODE_ADDRESS:$API_PORT/readyz"
follow kube-controller-manager https://127.0.0.1:10257/healthz
follow kube-scheduler https://127.0.0.1:10259/healthz
