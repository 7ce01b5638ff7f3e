#!/bin/bash
# apply-control-plane: the static pods of this master follow kubeadm's configuration and patches as they are now. Those
# that differ restart, what the others use first; exit 0 when each of them works. Fine on a master that is no member
# yet: it begins with what is there then.
set -eu -o pipefail
here=$(dirname "$0")
# shellcheck source=/dev/null
. /etc/groundplane/node.env
# shellcheck source-path=SCRIPTDIR source=cluster-state.sh
. "$here/cluster-state"

configuration=$(dirname "$KUBEADM_INIT_CONFIGURATION")/control-plane.yaml
manifests=/etc/kubernetes/manifests
# A busy machine may need most of it, as with the default probes.
patience=180

main() {
  read_phase
  if [ "$phase" != member ]; then exit 0; fi
  # On the same file system as the manifests, for atomic renames: the kubelet must never read a partial manifest.
  rendered=$(mktemp -d /etc/kubernetes/groundplane.XXXXXX)
  trap 'rm -rf "$rendered"' EXIT
  render etcd local
  keep_members
  render control-plane all
  keep_namespaces
  # The kubelet changes static pods with requests to the API server of its own machine. One that runs without its etcd would keep it
  # waiting for half a minute; one that has ended refuses them, and the kubelet goes on.
  place kube-apiserver
  await_end kube-apiserver
  place etcd
  await etcd http://127.0.0.1:2381/health
  await kube-apiserver "https://$NODE_ADDRESS:$API_PORT/readyz"
  # They use the API server of their own machine. Neither needs the other, and the kubelet takes a quarter of a minute for each.
  place kube-controller-manager
  place kube-scheduler
  await kube-controller-manager https://127.0.0.1:10257/healthz
  await kube-scheduler https://127.0.0.1:10259/healthz
}

render() { KUBEADM_INIT_DRYRUN_DIR=$rendered quietly kubeadm init phase "$@" --dry-run --config "$configuration"; }

# Keeps the initial members in the manifest, which kubeadm would replace. Only the timers change.
keep_members() {
  local timers='^ *- --(heartbeat-interval|election-timeout)='
  grep -E -e "$timers" "$rendered/etcd.yaml" >"$rendered/timers"
  if grep -E -e "$timers" "$manifests/etcd.yaml" | cmp --silent - "$rendered/timers"; then
    cp "$manifests/etcd.yaml" "$rendered/etcd.yaml"
  else
    grep -v -E -e "$timers" "$manifests/etcd.yaml" | sed "/^ *- etcd\$/r $rendered/timers" >"$rendered/etcd.yaml"
  fi
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

declare -A former

place() {
  if cmp --silent "$rendered/$1.yaml" "$manifests/$1.yaml"; then return 0; fi
  former[$1]=$(process_of "$1")
  mv "$rendered/$1.yaml" "$manifests/$1.yaml"
}

# await POD HEALTH
await() {
  if [ -z "${former[$1]+placed}" ]; then return 0; fi
  local end=$((SECONDS + patience))
  # Until its successor runs, the old one would respond.
  until is_successor "$1" "${former[$1]}" && curl -skf --max-time 2 -o /dev/null "$2"; do
    if ((SECONDS >= end)); then
      echo "$1 does not work with its new configuration" >&2
      exit 1
    fi
    sleep 0.2
  done
}

# await_end POD: until the process of its former manifest has ended. The kubelet kills it after half a minute.
await_end() {
  local end=$((SECONDS + patience))
  while [ -n "${former[$1]:-}" ] && [ -d "/proc/${former[$1]}" ] && ((SECONDS < end)); do sleep 0.1; done
}

process_of() { pgrep --oldest --full "^$1 " || true; }
is_successor() { local now; now=$(process_of "$1") && [ -n "$now" ] && [ "$now" != "$2" ]; }

quietly() {
  local said
  said=$("$@" 2>&1) || {
    printf '%s\n' "$said" >&2
    exit 1
  }
}

main "$@"
