#!/bin/bash
# Exit 0 when this node is ready; else one line with the reason. It is quick, because it is called in a loop.
# The checks of the role are in role-ready next to this file, with the same conventions.
set -u

cloud_init_result=/run/cloud-init/result.json
if [ ! -s "$cloud_init_result" ]; then
  echo "cloud-init has not finished"
  exit 1
fi
if ! grep -q '"errors": \[\]' "$cloud_init_result"; then
  echo "cloud-init failed: $(tr -s '\n ' ' ' <"$cloud_init_result")"
  exit 1
fi
if systemctl is-failed --quiet groundplane-volumes.service; then
  echo "volumes are not as planned: journalctl -u groundplane-volumes says why"
  exit 1
fi

role_ready=$(dirname "$0")/role-ready
if [ -x "$role_ready" ]; then exec "$role_ready"; fi
