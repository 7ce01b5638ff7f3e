#!/bin/sh
# Creates one file with an ext4 per volume from layers of a root tree, and GRUB's programs, with the tools of the tree
# itself: the result does not depend on the host. None of the file systems is mounted. Runs as the first process of its
# own mount and PID namespace.
#
# Environment: LAYERS folders from top to bottom with colons between them, STORE folder for /var/lib/containerd or empty,
# WORK empty folder, OUT folder to fill, FILES folder with fstab, grub.cfg and load.cfg, MARKS more options of overlays,
# SOURCE_DATE_EPOCH, VOLUMES one line per file system: mount point, name, MiB, UUID, features
set -eu

root=$WORK/root
mkdir "$root" "$WORK/upper" "$WORK/overlay"
mount -t overlay overlay -o "lowerdir=$LAYERS,upperdir=$WORK/upper,workdir=$WORK/overlay$MARKS" "$root"

echo "I: preparing files"
cp "$FILES/fstab" "$root/etc/fstab"
mkdir -p "$root/boot/grub" "$root/boot/efi"
kernel=$(basename "$(echo "$root"/usr/lib/modules/*)")
sed "s/@KERNEL@/$kernel/g" "$FILES/grub.cfg" >"$root/boot/grub/grub.cfg"
# The tree is up to date: nothing has to be generated at boot.
touch "$root/etc/.updated" "$root/var/.updated"
settle() { find "$1" -xdev -newermt "@$SOURCE_DATE_EPOCH" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +; }
settle "$root"

# The tools find the files to pack below /mnt, without the mounts that the tools need.
view=$root/mnt
mount -t tmpfs tmpfs "$view"
mkdir "$view/src" "$view/out" "$view/files"
mount --bind "$OUT" "$view/out"
mount --bind "$FILES" "$view/files"
mount --bind "$root" "$view/src"
if [ -n "$STORE" ]; then
  mkdir "$WORK/store-upper" "$WORK/store-overlay"
  mkdir -p "$view/src/var/lib/containerd"
  mount -t overlay overlay \
    -o "lowerdir=$STORE,upperdir=$WORK/store-upper,workdir=$WORK/store-overlay$MARKS" "$view/src/var/lib/containerd"
  settle "$view/src/var/lib/containerd"
fi
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"

in_root() {
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" \
    E2FSPROGS_FAKE_TIME="$SOURCE_DATE_EPOCH" chroot "$root" "$@"
}

echo "I: making GRUB's programs"
common="part_gpt ext2 search search_fs_uuid normal configfile linux echo test serial terminal reboot halt all_video"
# shellcheck disable=SC2086
in_root grub-mkimage -O i386-pc -o /mnt/out/core.img -p /grub -c /mnt/files/load.cfg $common biosdisk
# shellcheck disable=SC2086
in_root grub-mkimage -O x86_64-efi -o /mnt/out/bootx64.efi -p /grub -c /mnt/files/load.cfg $common fat efi_gop
cp "$root/usr/lib/grub/i386-pc/boot.img" "$OUT/boot.img"

# mke2fs before 1.47.1 copies access and change times of files; change times cannot be set from outside.
forget_times() {
  statistics=$(in_root debugfs -R stats "/mnt/out/$1.ext4" 2>/dev/null)
  count_of() { echo "$statistics" | sed -n "s/^$1: *//p"; }
  seq "$(($(count_of 'Inode count') - $(count_of 'Free inodes')))" |
    sed "s/.*/sif <&> atime @$SOURCE_DATE_EPOCH\nsif <&> ctime @$SOURCE_DATE_EPOCH/" >"$view/times"
  in_root debugfs -w -f /mnt/times "/mnt/out/$1.ext4" >/dev/null
}

# Deepest first: a folder with a volume of its own is then hidden under an empty one.
echo "$VOLUMES" | sort -r | while read -r mount_point name mebibytes uuid features; do
  echo "I: packing $mount_point"
  in_root mke2fs -q -t ext4 -b 4096 -m 1 -U "$uuid" -L "$name" -O "$features" \
    -E "hash_seed=$uuid,lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0" -J size=16 \
    -d "/mnt/src$mount_point" "/mnt/out/$name.ext4" "${mebibytes}M" || {
    echo "the volume of $mount_point, $mebibytes MiB, could not take its files" >&2
    exit 1
  }
  forget_times "$name"
  [ "$mount_point" = / ] || {
    mode=$(stat -c %a "$view/src$mount_point")
    mount -t tmpfs -o "mode=$mode,size=1M" tmpfs "$view/src$mount_point"
    touch --date="@$SOURCE_DATE_EPOCH" "$view/src$mount_point"
  }
done
