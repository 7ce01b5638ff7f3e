#!/bin/bash
# The storage part of node-ready: every planned data disk has its place and can be written to.
set -u
# shellcheck source=/dev/null
. /etc/groundplane/node.env

for mount_point in ${MOUNT_POINTS:-}; do
  if [ ! -d "$mount_point" ] || [ ! -w "$mount_point" ]; then
    echo "$mount_point cannot be written to"
    exit 1
  fi
done
