#!/bin/sh
# Installs packages over a root tree. Their files go to a layer of their own; the tree is only read. Runs as the
# first process of its own mount and PID namespace: all mounts and processes end with it.
#
# Environment: TREE root tree, LAYER folder to fill, WORK empty folder beside it, PACKAGES names, APT_CONF settings for
# apt, SOURCES lines for apt, REPOSITORY folder with all packages, mounted on /run/packages, or empty, MARKS more options
# of overlays, SOURCE_DATE_EPOCH
set -eu

root=$WORK/root
mkdir "$root" "$WORK/overlay"
mount -t overlay overlay -o "lowerdir=$TREE,upperdir=$LAYER,workdir=$WORK/overlay$MARKS" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
# The host's resolver, without a trace in the layer. No service may start.
cat /etc/resolv.conf >"$root/run/resolv.conf"
cat "$APT_CONF" >"$root/run/apt.conf"
printf '%s\n' "$SOURCES" >"$root/run/sources.list"
printf '#!/bin/sh\nexit 101\n' >"$root/run/policy-rc.d"
chmod 755 "$root/run/policy-rc.d"
mount --bind "$root/run/resolv.conf" "$root/etc/resolv.conf"
if [ -n "$REPOSITORY" ]; then
  mkdir "$root/run/packages"
  mount --bind "$REPOSITORY" "$root/run/packages"
fi

in_root() {
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive APT_CONFIG=/run/apt.conf \
    POLICYRCD=/run/policy-rc.d SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" chroot "$root" "$@"
}

say() { echo "I: $*"; }

say "reading package lists"
in_root apt-get -q update
say "installing the kernel and its tools"
# One initramfs at the end instead of one for each package that triggers it.
mkdir -p "$LAYER/etc/initramfs-tools"
printf 'update_initramfs=no\n' >"$LAYER/etc/initramfs-tools/update-initramfs.conf"
# shellcheck disable=SC2086
in_root apt-get -q -y --no-install-recommends -o DPkg::Options::=--force-confold install $PACKAGES
printf 'update_initramfs=yes\nbackup_initramfs=no\n' >"$root/etc/initramfs-tools/update-initramfs.conf"
say "making the initramfs"
for kernel in "$root"/usr/lib/modules/*; do
  in_root update-initramfs -c -k "$(basename "$kernel")"
done

in_root apt-get clean
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root"/var/cache/debconf/*-old "$root"/var/lib/dpkg/*-old \
  "$root"/var/cache/ldconfig/aux-cache "$root"/var/log/apt "$root"/var/log/*.log
