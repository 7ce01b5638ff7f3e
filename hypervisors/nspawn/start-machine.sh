#!/bin/sh
# start-machine.sh FOLDER OVERLAY-OPTIONS CONTENT-OVERLAY-OPTIONS CGROUP-FOLDER... -- COMMAND...
# Runs in a mount namespace of its own, so that the machine's root is mounted only there and goes with its processes:
# whatever kills the machine leaves no mount behind. Stays until the machine is off, to start it again when the guest
# reboots.
set -eu

# Of what nspawn makes in the guest's tree. The process that starts this one has a private umask.
umask 022

folder=$1
options=$2
content_options=$3
shift 3
cd "$folder"
mount -t overlay -o "$options" groundplane root

# The blobs of container images are the sealed ones, below what this machine adds and removes.
if [ -n "$content_options" ]; then
  mount -t overlay -o "$content_options" groundplane containerd/io.containerd.content.v1.content
fi

# A file system as large as the planned disk, which may have grown. A mounted one could be grown only with CAP_SYS_RESOURCE.
# The loop device goes with the mount. `minixdf` counts its own metadata as part of its size, so that the size is exactly the
# planned one; without `noinit_itable` the kernel would fill the file with zeros.
if [ -e pods.ext4 ]; then
  blocks=$(dumpe2fs -h pods.ext4 2>/dev/null | sed -n 's/^Block count: *//p')
  if [ "$((blocks * 4096))" -lt "$(stat --format %s pods.ext4)" ]; then
    e2fsck -f -p pods.ext4 || true
    resize2fs pods.ext4 || true
  fi
  mount -o loop,noatime,discard,minixdf,noinit_itable pods.ext4 kubelet
fi

# Only what is of the network may be written in the guest's /proc/sys and /sys; the rest is the host's. With all of
# /sys writable networkd would wait for a udev that containers have not.
export SYSTEMD_NSPAWN_API_VFS_WRITABLE=network

# In a process of its own: on version 2, a group with this script in it could not hand controllers down to the guest.
run_in_cgroups() (
  while [ "$1" != "--" ]; do
    # 0 is the writer itself.
    echo 0 >"$1/cgroup.procs"
    shift
  done
  shift
  exec "$@"
)

# How nspawn says that the guest has rebooted.
rebooted=133
status=$rebooted
while [ "$status" -eq "$rebooted" ]; do
  status=0
  run_in_cgroups "$@" || status=$?
done
exit "$status"
