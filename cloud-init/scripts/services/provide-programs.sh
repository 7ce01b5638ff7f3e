#!/bin/bash
# provide-programs: makes the programs of the control plane available at PROGRAMS, from their container images in this node's
# store. They are mounted and not copied: they take no space, and the images stay the only place where a release has them.
set -eu
# shellcheck source=/dev/null
. /etc/groundplane/node.env

until [ -S /run/containerd/containerd.sock ]; do sleep 0.1; done
for pair in $CONTROL_PLANE_IMAGES; do
  target=$CONTROL_PLANE_PROGRAMS/${pair%%=*}
  image=${pair#*=}
  if mountpoint --quiet "$target"; then continue; fi
  mkdir -p "$target"
  ctr --namespace "$CONTROL_PLANE_IMAGES_OF" images mount "$image" "$target" >/dev/null
  # No container uses it, so the kubelet would delete it when the disk is full.
  ctr --namespace "$CONTROL_PLANE_IMAGES_OF" images label "$image" io.cri-containerd.pinned=pinned >/dev/null
done
