#!/bin/sh
# Removes the folder of a deleted volume; run by the provisioner in a pod, with busybox. Refuses where Gluster is not
# mounted: the folder would seem to be gone.
set -eu

parent=$(dirname "$VOL_DIR")
if ! grep -q " $parent fuse.glusterfs " /proc/mounts; then
  echo "$parent is not a Gluster volume on this node: nothing is removed" >&2
  exit 1
fi
rm -rf "$VOL_DIR"
