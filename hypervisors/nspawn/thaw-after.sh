#!/bin/sh
# thaw-after.sh PID START-TIME FREEZE-FILE...
# Waits for the end of the process that has frozen machines, and thaws them: a killed command must not leave them frozen.
set -u

pid=$1
started=$2
shift 2

# Field 22 of its status is the start time. The name in the second field may contain spaces.
lives() {
  status=$(cat "/proc/$pid/stat" 2>/dev/null) || return 1
  # shellcheck disable=SC2086
  set -- ${status##*) }
  [ "$1" != Z ] && [ "${20}" = "$started" ]
}

while lives; do
  sleep 0.2
done
for file; do
  # A machine that has ended has no group.
  [ ! -e "$file" ] || echo 0 >"$file"
done
