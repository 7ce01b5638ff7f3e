#!/bin/bash
# etcd's client with this master's certificate; sourced by the commands that query or change the members.

# shellcheck disable=SC2034 # for the scripts that source this
local_etcd=https://127.0.0.1:2379

# etcd ENDPOINT ARGUMENTS…
etcd() {
  local endpoint=$1
  shift
  etcdctl --endpoints="$endpoint" --cacert=/etc/kubernetes/pki/etcd/ca.crt \
    --cert=/etc/kubernetes/pki/etcd/healthcheck-client.crt --key=/etc/kubernetes/pki/etcd/healthcheck-client.key "$@"
}
