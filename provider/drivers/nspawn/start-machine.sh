#!/bin/sh
# start-machine.sh FOLDER OVERLAY-OPTIONS CGROUP-FOLDER... -- COMMAND...
# Runs in a mount namespace of its own, so that the machine's root is mounted only there and goes with its processes:
# whatever kills the machine leaves no mount behind.
set -eu

cd "$1"
options=$2
shift 2
while [ "$1" != "--" ]; do
  echo $$ >"$1/cgroup.procs"
  shift
done
shift

mount -t overlay -o "$options" groundplane root

# Only what is of the network may be written in the guest's /proc/sys and /sys; the rest is the host's. With all of
# /sys writable networkd would wait for a udev that containers have not.
export SYSTEMD_NSPAWN_API_VFS_WRITABLE=network
exec "$@"
