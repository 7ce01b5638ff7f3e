#!/bin/sh
# Fills a containerd store with unpacked images, using the containerd of the nodes in the root tree, so that store and
# nodes always agree. Runs as the first process of its own mount and PID namespace: all mounts and containerd with its
# processes end with it. The tree is only read.
#
# Environment: TREE root tree, PROGRAMS folder with containerd and ctr, STORE folder to fill, ARCHIVES folder with image
# archives, NAMESPACE of containerd for the images, LOG file for containerd's output
set -eu

mount --bind "$TREE" "$TREE"
# With its present options: a user namespace must not remove any.
mount -o "remount,bind,$(findmnt -n -o VFS-OPTIONS --mountpoint "$TREE" | sed 's/^rw/ro/')" "$TREE"
mount -t proc proc "$TREE/proc"
mount --rbind /dev "$TREE/dev"
mount -t tmpfs tmpfs "$TREE/run"
mount -t tmpfs tmpfs "$TREE/tmp"
mkdir "$TREE/tmp/archives" "$TREE/tmp/store" "$TREE/tmp/programs"
mount --bind "$PROGRAMS" "$TREE/tmp/programs"
mount --bind "$ARCHIVES" "$TREE/tmp/archives"
mount --bind "$STORE" "$TREE/tmp/store"

cat >"$TREE/run/containerd.toml" <<'END'
version = 3
root = "/tmp/store"
state = "/run/containerd"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime",
  "io.containerd.nri.v1.nri", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs"]
END

chroot "$TREE" /tmp/programs/containerd --config /run/containerd.toml >"$LOG" 2>&1 &
containerd=$!

ctr() { chroot "$TREE" /tmp/programs/ctr --namespace "$NAMESPACE" "$@"; }

tries=0
until ctr version >/dev/null 2>&1; do
  tries=$((tries + 1))
  if [ "$tries" -gt 200 ] || ! kill -0 "$containerd" 2>/dev/null; then
    echo "containerd did not start" >&2
    tail -n 5 "$LOG" >&2
    exit 1
  fi
  sleep 0.1
done

for archive in "$ARCHIVES"/*.tar; do
  ctr images import --local --snapshotter overlayfs "/tmp/archives/$(basename "$archive")" >/dev/null
done

# Managed: visible to kubelet. Pinned: not removed when the disk is full, because there may be no registry to restore it.
# containerd's plugin for the kubelet gives every image that it pulls its id as a second name, by which image volumes find
# it. Docker would list that as another image.
[ "$NAMESPACE" != k8s.io ] || ctr images list | awk 'NR > 1 { print $1, $3 }' | while read -r image manifest; do
  id=$(ctr content get "$manifest" | tr -d ' \n' | sed -n 's/.*"config":{[^}]*"digest":"\(sha256:[0-9a-f]*\)".*/\1/p')
  ctr images tag --local --skip-reference-check "$image" "$id" >/dev/null
done
ctr images list --quiet | while read -r image; do
  ctr images label "$image" io.cri-containerd.image=managed io.cri-containerd.pinned=pinned >/dev/null
done
ctr images list --quiet

kill "$containerd"
wait "$containerd" || true
