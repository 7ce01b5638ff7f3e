#!/bin/bash
# In place of etcd's client, on masters whose etcd has machines of its own: a master that leaves is no member of etcd, and these
# masters have no right to change the members. Sourced by the commands that are the same on masters with etcd.

# shellcheck disable=SC2034 # for the scripts that source this
local_etcd=""
etcd() { :; }
