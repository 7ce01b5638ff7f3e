#!/bin/bash
# Keeps the volume mounted on a worker and labels its Node accordingly; run by groundplane-volume.service. A client that
# lost its servers is left alone: it reconnects by itself, and pods that use it continue.
set -u
# shellcheck source=/dev/null
. /etc/groundplane/node.env

label=groundplane.internal/volume
kubelet_credentials=/etc/kubernetes/kubelet.conf
labelled=unknown

is_mounted() { grep -q " $VOLUME_MOUNT_POINT fuse.glusterfs " /proc/self/mounts; }
client_runs() { pgrep -f -- "^/usr/sbin/glusterfs .* $VOLUME_MOUNT_POINT\$" >/dev/null; }
answers() { timeout 10 stat --file-system "$VOLUME_MOUNT_POINT" >/dev/null 2>&1; }

# So that no mount attempt, and with it a start of the kubelet, waits for servers that are not running yet.
some_server_listens() {
  local server
  for server in $VOLUME_SERVERS; do
    if timeout 1 bash -c ": </dev/tcp/$server/24007" 2>/dev/null; then return 0; fi
  done
  return 1
}

mount_volume() {
  if is_mounted && ! client_runs; then umount --lazy "$VOLUME_MOUNT_POINT"; fi
  some_server_listens && systemctl start "$(systemd-escape --path --suffix=mount "$VOLUME_MOUNT_POINT")" 2>/dev/null
}

# say mounted|absent: uses the kubelet's own credentials, which can change only the labels of its own Node.
say() {
  if [ "$labelled" = "$1" ] || [ ! -e "$kubelet_credentials" ]; then return; fi
  local change="$label=mounted"
  if [ "$1" = absent ]; then change="$label-"; fi
  if HOME=/root kubectl --kubeconfig "$kubelet_credentials" --request-timeout=5s \
    label --overwrite node "$NODE_NAME" "$change" >/dev/null 2>&1; then
    labelled=$1
  fi
}

while :; do
  if is_mounted && answers; then
    say mounted
  else
    say absent
    if ! (is_mounted && client_runs) && mount_volume; then continue; fi
  fi
  # Every second until the cluster has the label, less often afterwards.
  if [ "$labelled" = mounted ]; then sleep 3; else sleep 1; fi
done
