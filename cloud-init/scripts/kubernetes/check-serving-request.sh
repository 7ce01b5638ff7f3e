#!/bin/bash
# check-serving-request REQUESTER USAGES PLANNED_NODES <REQUEST: exit 0 when the certificate request (PEM) on stdin is valid for
# the kubelet of a planned node and comes from that node; else prints the reason. Exit 3: the node may be planned later.
set -eu -o pipefail

requester=$1
usages=$2
planned_nodes=$3
refuse() {
  echo "$1"
  exit "${2:-1}"
}

[[ "$requester" =~ ^system:node:([a-z0-9-]+)$ ]] || refuse "the requester is no node"
node=${BASH_REMATCH[1]}
# In the order of the alphabet; the key encipherment of RSA keys is optional.
[[ "$usages" =~ ^digital\ signature,(key\ encipherment,)?server\ auth$ ]] || refuse "it asks for the usages $usages"

request=$(cat)
subject=$(openssl req -noout -subject -nameopt RFC2253 2>/dev/null <<<"$request") || refuse "not a certificate request"
[ "${subject#subject=}" = "CN=system:node:$node,O=system:nodes" ] || refuse "the subject is ${subject#subject=}"
# Its exit code does not tell.
openssl req -noout -verify 2>&1 <<<"$request" | grep -q "verify OK" || refuse "its signature is not from its key"

address=$(awk -v name="$node" '$1 == name { print $2 }' "$planned_nodes")
[ -n "$address" ] || refuse "$node is not in the plan" 3

# The names are compared as bytes: their printed form could hide a second name behind a line break in the first.
# SubjectAltName is a sequence (30) of the DNS name (82) and the address (87).
name_bytes=$(printf '%s' "$node" | od -An -v -tx1 | tr -d ' \n')
IFS=. read -r a b c d <<<"$address"
entries=$(printf '82%02x%s8704%02x%02x%02x%02x' "${#node}" "$name_bytes" "$a" "$b" "$c" "$d")
expected=$(printf '30%02x%s' $((${#entries} / 2)) "$entries")
requested=$(openssl asn1parse 2>/dev/null <<<"$request" |
  awk '/OBJECT +:X509v3 Subject Alternative Name/ { getline; sub(/.*\[HEX DUMP\]:/, ""); print tolower($0) }')
[ "$requested" = "$expected" ] || refuse "it names something else than $node and $address"
