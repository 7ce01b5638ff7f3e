#!/bin/bash
# apply-control-plane: the static pod of etcd follows kubeadm's configuration and patches as they are now; exit 0 when it works.
# Fine on a machine that is no member yet: it begins with what is there then.
set -eu -o pipefail
here=$(dirname "$0")
# shellcheck source=/dev/null
. /etc/groundplane/node.env
# shellcheck source-path=SCRIPTDIR source=../kubernetes/cluster-state.sh
. "$here/cluster-state"

manifest=/etc/kubernetes/manifests/etcd.yaml
# A busy machine may need most of it, as with the default probes.
patience=180

process_of() { pgrep --oldest --full "^etcd " || true; }
is_successor() { local now; now=$(process_of) && [ -n "$now" ] && [ "$now" != "$1" ]; }

read_phase
if [ "$phase" != member ]; then exit 0; fi
# On the same file system as the manifest, for an atomic rename: the kubelet must never read a partial manifest.
rendered=$(mktemp -d /etc/kubernetes/groundplane.XXXXXX)
trap 'rm -rf "$rendered"' EXIT
if ! said=$(KUBEADM_INIT_DRYRUN_DIR=$rendered kubeadm init phase etcd local --dry-run --config "$KUBEADM_CONTROL_PLANE" 2>&1); then
  printf '%s\n' "$said" >&2
  exit 1
fi
# Keeps the initial members in the manifest, which kubeadm would replace. Only the timers change.
timers='^ *- --(heartbeat-interval|election-timeout)='
grep -E -e "$timers" "$rendered/etcd.yaml" >"$rendered/timers"
if grep -E -e "$timers" "$manifest" | cmp --silent - "$rendered/timers"; then exit 0; fi
grep -v -E -e "$timers" "$manifest" | sed "/^ *- etcd\$/r $rendered/timers" >"$rendered/next.yaml"
former=$(process_of)
chmod 0600 "$rendered/next.yaml"
mv "$rendered/next.yaml" "$manifest"
end=$((SECONDS + patience))
# Until its successor runs, the old one would respond.
until is_successor "$former" && curl -sf --max-time 2 -o /dev/null http://127.0.0.1:2381/health; do
  if ((SECONDS >= end)); then
    echo "etcd does not work with its new configuration" >&2
    exit 1
  fi
  sleep 0.2
done
