#!/bin/sh
# enter-tree.sh LOWER-LAYERS SEED-FOLDER COMMAND...
# Runs a command inside a root tree, on a temporary layer, with SEED-FOLDER at /seed. Must be started in separate mount and
# network namespaces, so that all changes end with them.
set -eu
layers=$1
seed=$2
shift 2

mount -t tmpfs tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay -o "lowerdir=$layers,upperdir=/mnt/upper,workdir=/mnt/work" overlay /mnt/root
cd /mnt/root
mount -t proc proc proc
mount -t tmpfs tmpfs dev
for device in null zero random urandom; do
  : >"dev/$device"
  mount --bind "/dev/$device" "dev/$device"
done
ln -s /proc/self/fd dev/fd
mkdir seed
mount --bind "$seed" seed
ip link set lo up
exec chroot . "$@"
