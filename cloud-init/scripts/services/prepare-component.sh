#!/bin/bash
# prepare-component NAME: writes the arguments of a component of the control plane from the manifest that kubeadm wrote for it. The
# component's unit runs it as root before each start. Files below /etc/kubernetes become credentials of the unit, under their path
# with dashes in place of slashes.
set -eu -o pipefail

name=${1:?usage: prepare-component NAME}
manifests=${MANIFESTS:-/etc/kubernetes/manifests}
prepared=${PREPARED:-/run/groundplane-control-plane}

# The unit's own mask is for the component. Arguments are no secrets, and its user reads them.
umask 022
mkdir -p "$prepared"
# What is newer has changed since.
: >"$prepared/$name.started"
cp "$manifests/$name.yaml" "$prepared/$name.yaml"
command=$(kubectl patch --local --type=merge --patch='{}' --output=json --filename="$prepared/$name.yaml" |
  jq --compact-output '.spec.containers[0].command[1:]')
jq --raw-output '.[] | capture("^--[^=]+=(?<file>/etc/kubernetes/.+)$").file' <<<"$command" >"$prepared/$name.files"
jq --join-output '.[]
  | sub("^(?<flag>--[^=]+=)/etc/kubernetes/(?<file>.+)$"; "\(.flag)@credentials@/\(.file | gsub("/"; "-"))") + "\u0000"' \
  <<<"$command" >"$prepared/$name.new"
mv "$prepared/$name.new" "$prepared/$name.arguments"
