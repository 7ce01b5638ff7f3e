#!/bin/sh
# make-small-tree.sh LAYERS TREE: creates a small tree with the parts of a disk's layers that writing a disk needs, and one
# file of every type. Must be started in a separate mount namespace.
set -eu
tree=$2
mount -t tmpfs tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay -o "lowerdir=$1,upperdir=/mnt/upper,workdir=/mnt/work" overlay /mnt/root
mount --rbind /dev /mnt/root/dev

mkdir -p "$tree/mnt" "$tree/proc" "$tree/dev" "$tree/boot" "$tree/tmp" "$tree/var/cache" "$tree/opt" "$tree/etc/systemd/system"
mkdir -p "$tree/usr/lib/modules/1.2.3-small" "$tree/usr/lib/grub"
chmod 1777 "$tree/tmp"
for name in bin lib lib64 sbin; do ln -s "usr/$name" "$tree/$name"; done
libraries=$(for tool in /usr/bin/grub-mkimage /usr/sbin/mke2fs /usr/sbin/debugfs; do chroot /mnt/root ldd "$tool"; done | grep -o '/[^ ]*' | sort -u)
for file in /usr/bin/grub-mkimage /usr/sbin/mke2fs /usr/sbin/debugfs /etc/mke2fs.conf $libraries; do
  at=$(echo "$file" | sed 's,^/\(lib\|lib64\)/,/usr/\1/,')
  mkdir -p "$tree$(dirname "$at")"
  cp -L --preserve=mode,timestamps "/mnt/root$file" "$tree$at"
done
for platform in i386-pc x86_64-efi; do cp -a "/mnt/root/usr/lib/grub/$platform" "$tree/usr/lib/grub/"; done

cd "$tree"
echo secret >etc/shadow
chown 0:42 etc/shadow
chmod 640 etc/shadow
mkdir var/cache/private
echo mine >var/cache/private/file
chown -R 101:65534 var/cache/private
chmod 700 var/cache/private
printf '#!/bin/sh\n' >usr/bin/elevated
chmod 4755 usr/bin/elevated
ln usr/bin/elevated usr/bin/elevated-too
printf '#!/bin/sh\n' >usr/bin/capable
chmod 755 usr/bin/capable
# cap_net_raw=ep, as setcap writes it.
python3 -c 'import os,sys; os.setxattr(sys.argv[1], "security.capability", bytes.fromhex("0100000200200000000000000000000000000000"))' usr/bin/capable
mkfifo var/cache/pipe
