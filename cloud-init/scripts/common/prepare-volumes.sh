#!/bin/bash
# Grows the system disk's volumes online to their planned sizes: partition, physical volume, volume, file system, each only
# if it is smaller. Then formats empty data disks, grows and mounts them. Runs at every boot and after every change of the
# plan; may be killed at any point and run again.
set -u

group=groundplane
folder=${VOLUMES_FOLDER:-/etc/groundplane}
failures=0

# A system container has the file system of its host.
[ -e "/dev/mapper/$group-root" ] || exit 0

fail() {
  echo "$*" >&2
  failures=1
}

# A disk behind a SCSI or ATA controller reports its new size only after a rescan.
rescan() {
  local rescan=/sys/class/block/$1/device/rescan
  if [ -w "$rescan" ]; then echo 1 >"$rescan" || true; fi
}

sectors() { cat "/sys/class/block/$1"; }

grow_physical_volume() {
  local volume partition disk number
  volume=$(pvs --noheadings --options pv_name --select "vg_name=$group" | tr -d ' ')
  partition=$(basename "$volume")
  disk=$(basename "$(dirname "$(readlink -f "/sys/class/block/$partition")")")
  number=$(cat "/sys/class/block/$partition/partition")
  rescan "$disk"
  # Two MiB are lost to alignment and to the second partition table.
  if [ $(($(sectors "$disk/size") - $(sectors "$partition/start") - $(sectors "$partition/size"))) -gt 4096 ]; then
    echo ', +' | sfdisk --quiet --no-reread --no-tell-kernel --force --partno "$number" "/dev/$disk" || return
    partx --update --nr "$number" "/dev/$disk" || return
  fi
  pvresize --quiet --quiet "$volume"
}

grow_volume() {
  local mount_point=$1 wanted=$2 volume have
  volume=$(findmnt --noheadings --output SOURCE --mountpoint "$mount_point") || {
    fail "$mount_point is not mounted"
    return
  }
  have=$(lvs --noheadings --nosuffix --units m --options lv_size "$volume" | tr -d ' ')
  if [ "${have%%.*}" -lt "$wanted" ] && ! lvextend --quiet --quiet --size "${wanted}m" "$volume"; then
    fail "$mount_point stays at ${have%%.*} MiB: $wanted MiB do not fit the disk, raise diskGiB"
  fi
  resize2fs "$volume" 2>/dev/null || fail "the file system of $mount_point cannot be grown"
}

# By its serial number or, without one, by the order of attachment.
find_disk() {
  local name=$1 position=$2 system found
  found=$(lsblk --nodeps --noheadings --raw --output NAME,SERIAL | awk -v serial="$name" '$2 == serial { print $1; exit }')
  if [ -z "$found" ]; then
    system=$(lsblk --inverse --noheadings --raw --output NAME "/dev/mapper/$group-root" | tail -n 1)
    found=$(for disk in $(lsblk --nodeps --noheadings --raw --output NAME,TYPE,RO |
      awk -v own="$system" '$2 == "disk" && $3 == 0 && $1 != own { print $1 }'); do
      echo "$(readlink -f "/sys/class/block/$disk") $disk"
    done | sort --version-sort | sed -n "${position}p" | sed 's/.* //')
  fi
  [ -n "$found" ] && echo "/dev/$found"
}

prepare_data_disk() {
  local name=$1 uuid=$2 mount_point=$3 position=$4 device
  device=$(blkid --uuid "$uuid") || {
    device=$(find_disk "$name" "$position") || {
      fail "disk $name is not plugged in"
      return
    }
    # 2 = no known content. Any other content belongs to a user.
    blkid --probe "$device" >/dev/null
    if [ $? -ne 2 ]; then
      fail "disk $name ($device) holds something that groundplane did not make; it is left as it is"
      return
    fi
    mkfs.xfs -q -m "uuid=$uuid" "$device" || {
      fail "disk $name cannot be formatted"
      return
    }
  }
  mkdir -p "$mount_point"
  mountpoint --quiet "$mount_point" || mount -t xfs -o noatime "$device" "$mount_point" || {
    fail "disk $name cannot be mounted at $mount_point"
    return
  }
  rescan "$(basename "$device")"
  xfs_growfs "$mount_point" >/dev/null || fail "the file system of disk $name cannot be grown"
}

grow_physical_volume || fail "the volume group cannot take the whole disk"
while read -r mount_point wanted; do
  grow_volume "$mount_point" "$wanted"
done < <(grep -v '^#' "$folder/volumes")

position=0
while read -r name uuid mount_point _; do
  position=$((position + 1))
  prepare_data_disk "$name" "$uuid" "$mount_point" "$position"
done < <(grep -v '^#' "$folder/data-disks")
exit "$failures"
