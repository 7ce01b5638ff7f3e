#!/bin/bash
# show-capacity: in a system container, /proc and /sys show the processors and the memory of the host. This mounts files over
# them that show what the plan gives the machine: kubelet takes a Node's capacity from there, and free, lscpu and top read them.
# It stays to keep the memory's figures current. Only builtins from then on, so that it costs no processes.
set -eu
# shellcheck source=/dev/null
. "${CAPACITY_FILE:-/etc/groundplane/capacity}"

proc=${PROC_FOLDER:-/proc}
sys=${SYS_FOLDER:-/sys}
folder=${STATE_FOLDER:-/run/groundplane/capacity}
interval=5

main() {
  mkdir -p "$folder/node/node0"
  remember "$proc/cpuinfo" host-cpuinfo
  show_processors
  find_memory
  show_memory
  cover "$folder/cpuinfo" "$proc/cpuinfo"
  cover "$folder/online" "$sys/devices/system/cpu/online"
  cover "$folder/node" "$sys/devices/system/node"
  cover "$folder/meminfo" "$proc/meminfo"
  systemd-notify --ready
  [ -p "$folder/clock" ] || mkfifo "$folder/clock"
  exec {clock}<>"$folder/clock"
  while :; do
    # No process writes to it, so this waits without starting one.
    read -r -t "$interval" -u "$clock" || true
    show_memory
  done
}

is_covered() { grep -q " $1 " "$proc/self/mountinfo"; }

# The host's own file, before it is covered.
remember() { is_covered "$1" || cat "$1" >"$folder/$2"; }

# A later start changes the contents and keeps the mount: the host's figures are never visible in between.
cover() {
  [ -e "$2" ] || return 0
  is_covered "$2" || mount -o bind,ro "$1" "$2"
}

# `0-1,4` becomes `0 1 4`.
expand() {
  local part
  for part in ${1//,/ }; do seq "${part%-*}" "${part#*-}"; done | tr '\n' ' '
}

# The processors that the machine may use, under their own numbers. A plan with more than the host has gets further numbers.
processors() {
  local allowed next
  read -ra allowed <<<"$(expand "$(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' "$proc/self/status")")"
  next=$(grep -c '^processor' "$folder/host-cpuinfo")
  while [ "${#allowed[@]}" -lt "$CPUS" ]; do
    allowed+=("$next")
    next=$((next + 1))
  done
  echo "${allowed[@]:0:$CPUS}"
}

show_processors() {
  local ids id topology
  read -ra ids <<<"$(processors)"
  (IFS=, && echo "${ids[*]}") >"$folder/online"
  awk -v ids="${ids[*]}" 'BEGIN { RS = "" }
    { block[NR - 1] = $0 }
    END {
      count = split(ids, wanted, " ")
      for (i = 1; i <= count; i++) {
        text = block[wanted[i] % NR]
        sub(/^processor[ \t]*:[ \t]*[0-9]+/, "processor\t: " wanted[i], text)
        print text "\n"
      }
    }' "$folder/host-cpuinfo" >"$folder/cpuinfo"
  rm -rf "$folder"/node/node0/cpu*
  for id in "${ids[@]}"; do
    topology=$folder/node/node0/cpu$id/topology
    mkdir -p "$topology"
    cat "$sys/devices/system/cpu/cpu$id/topology/core_id" >"$topology/core_id" 2>/dev/null || echo "$id" >"$topology/core_id"
    cat "$sys/devices/system/cpu/cpu$id/topology/physical_package_id" >"$topology/physical_package_id" 2>/dev/null ||
      echo 0 >"$topology/physical_package_id"
  done
  cp "$folder/online" "$folder/node/node0/cpulist"
  for id in online possible has_cpu has_memory has_normal_memory; do echo 0 >"$folder/node/$id"; done
  echo 10 >"$folder/node/node0/distance"
  printf 'Node 0 MemTotal: %10d kB\n' "$((MEMORY_MIB * 1024))" >"$folder/node/node0/meminfo"
}

# The machine's own memory cgroup, which is the root of what it sees.
find_memory() {
  if [ -e "$sys/fs/cgroup/memory/memory.usage_in_bytes" ]; then
    usage_file=$sys/fs/cgroup/memory/memory.usage_in_bytes
    stat_file=$sys/fs/cgroup/memory/memory.stat
    prefix=total_
  else
    usage_file=$sys/fs/cgroup/memory.current
    stat_file=$sys/fs/cgroup/memory.stat
    prefix=
  fi
}

declare -A stat=()

# Figures in kB from bytes, and never more than there is.
kilobytes() {
  local bytes=${stat[$prefix$1]:-${stat[$prefix$2]:-0}}
  result=$((bytes / 1024 < total ? bytes / 1024 : total))
}

show_memory() {
  local name value usage=0 total=$((MEMORY_MIB * 1024)) free available text result
  local inactive active anonymous inactive_anonymous active_anonymous shared mapped cached
  if [ -r "$usage_file" ]; then read -r usage <"$usage_file"; fi
  if [ -r "$stat_file" ]; then while read -r name value; do stat[$name]=$value; done <"$stat_file"; fi
  kilobytes inactive_file inactive_file && inactive=$result
  kilobytes active_file active_file && active=$result
  kilobytes inactive_anon inactive_anon && inactive_anonymous=$result
  kilobytes active_anon active_anon && active_anonymous=$result
  kilobytes rss anon && anonymous=$result
  kilobytes shmem shmem && shared=$result
  kilobytes mapped_file file_mapped && mapped=$result
  kilobytes cache file && cached=$result
  free=$((total - usage / 1024 > 0 ? total - usage / 1024 : 0))
  available=$((free + inactive + active < total ? free + inactive + active : total))
  # Every line has a fixed width and the text replaces the former one in place, so that no reader sees half of it.
  printf -v text '%-16s%10d kB\n' MemTotal: "$total" MemFree: "$free" MemAvailable: "$available" Buffers: 0 \
    Cached: "$cached" SwapCached: 0 Active: "$((active + active_anonymous))" Inactive: "$((inactive + inactive_anonymous))" \
    'Active(anon):' "$active_anonymous" 'Inactive(anon):' "$inactive_anonymous" 'Active(file):' "$active" \
    'Inactive(file):' "$inactive" Unevictable: 0 Mlocked: 0 SwapTotal: 0 SwapFree: 0 Dirty: 0 Writeback: 0 \
    AnonPages: "$anonymous" Mapped: "$mapped" Shmem: "$shared" Slab: 0 SReclaimable: 0 SUnreclaim: 0
  printf '%s' "$text" 1<>"$folder/meminfo"
}

main
