#!/bin/sh
# limit-consoles.sh FOLDER KIB [SECONDS]
# Empties FOLDER/MACHINE/console.log when it uses more than KIB on the disk, and keeps the end of it as console.log.old. Looks
# again after SECONDS (60), for as long as FOLDER exists.
#
# VirtualBox holds the file open and writes at its own position, not at the end: after the file was emptied, its length is as
# before, but what came before the next output is a hole without blocks. So blocks count here, not the length.
set -eu

folder=$1
limit=$2
seconds=${3:-60}

while [ -d "$folder" ]; do
  for console in "$folder"/*/console.log; do
    # A machine may be removed meanwhile.
    blocks=$(du -k "$console" 2>/dev/null) || continue
    [ "${blocks%%[!0-9]*}" -gt "$limit" ] || continue
    tail -c "$((limit * 1024))" "$console" >"$console.old" || continue
    truncate --no-create --size 0 "$console"
  done
  sleep "$seconds"
done
