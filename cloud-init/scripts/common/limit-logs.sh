#!/bin/sh
# Keeps the logs that programs write themselves from filling the disk; the journal, the kubelet and the API server limit
# theirs. Run every hour by groundplane-limit-logs.timer. A file is emptied in place, because its program appends to it.
set -eu
limit=$((16 * 1024 * 1024))
kept=$((4 * 1024 * 1024))

for folder in "${LOG_FOLDER:-/var/log}"/glusterfs "${LOG_FOLDER:-/var/log}"/pacemaker "${LOG_FOLDER:-/var/log}"/groundplane; do
  [ -d "$folder" ] || continue
  find "$folder" -xdev -type f -size "+${limit}c" ! -name '*.old' | while IFS= read -r file; do
    (umask 077 && tail -c "$kept" "$file" >"$file.old")
    : >"$file"
  done
done
