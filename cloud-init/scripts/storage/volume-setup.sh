#!/bin/sh
# Makes the folder of a new volume; run by the provisioner in a pod, with busybox. Refuses where Gluster is not mounted.
set -eu

parent=$(dirname "$VOL_DIR")
if ! grep -q " $parent fuse.glusterfs " /proc/mounts; then
  echo "$parent is not a Gluster volume on this node: nothing is made" >&2
  exit 1
fi
mkdir -p "$VOL_DIR"
# Whatever user a pod runs as may write to its volume.
chmod 0777 "$VOL_DIR"
