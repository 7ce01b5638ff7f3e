#!/bin/bash
# The roles' part of node-ready, on a machine whose roles have different checks: all of them must pass.
set -u

for check in "$(dirname "$0")"/role-ready-*; do
  "$check" || exit 1
done
