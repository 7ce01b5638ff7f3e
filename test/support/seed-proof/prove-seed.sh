#!/bin/bash
# Runs inside a root tree. /seed has user-data, network-config, expected/ with every file that the seed must write, and
# expected.modes with their modes and owners. Prints `ok NAME` or `not ok NAME: why` for each proof that applies.
set -u

prove() {
  local name=$1 said
  shift
  if said=$("$@" 2>&1); then echo "ok $name"; else echo "not ok $name: $(tr -s '\r\n' ' ' <<<"$said")"; fi
}

same_bytes() {
  local file
  while IFS= read -r file; do cmp "/seed/expected$file" "$file" || return 1; done < <(cut -d' ' -f3- /seed/expected.modes)
}

same_modes() {
  local mode owner file
  while read -r mode owner file; do
    [ "$(stat -c '%04a %U:%G' "$file")" = "$mode $owner" ] || { stat -c '%04a %U:%G %n' "$file" && return 1; }
  done </seed/expected.modes
}

shell_reads_environment() (
  set -eu
  # shellcheck source=/dev/null
  . /etc/groundplane/node.env
  [ "$NODE_NAME.$DOMAIN" = "$(sed -n 's/^fqdn: "\(.*\)"$/\1/p' /seed/user-data)" ]
)

# The units of the seed, and the units that get a drop-in from it.
units() {
  find /seed/expected/etc/systemd/system -type f -printf '%P\n' | sed 's|\.d/.*||' | sort -u
}

# systemd only warns about a misspelt key, with exit code 0.
sound() {
  local said
  said=$(systemd-analyze verify --man=no "$@" 2>&1) && [ -z "$said" ] && return
  echo "$said"
  return 1
}

kubeadm_accepts_limits() {
  grep -q "^  tlsBootstrap: [0-9][0-9]*m$" "$1" && kubeadm config validate --config "$1"
}

prove "cloud-init accepts user-data" cloud-init schema --config-file /seed/user-data
prove "cloud-init accepts network-config" cloud-init schema --schema-type network-config --config-file /seed/network-config
prove "cloud-init writes the files" python3 /seed/write-files.py
prove "bytes are as rendered" same_bytes
prove "modes and owners are as rendered" same_modes
prove "a shell reads node.env" shell_reads_environment

mkdir -p /run/sshd
prove "sshd accepts its configuration" sshd -t
prove "chronyd accepts its configuration" chronyd -p -f /etc/chrony/chrony.conf
mapfile -t units < <(units)
if [ "${#units[@]}" -gt 0 ]; then prove "systemd accepts the units" sound "${units[@]}"; fi
if [ -e /seed/expected/etc/dnsmasq.d/groundplane.conf ]; then
  # The same check as its unit's before the start, because `dnsmasq --test` alone does not read dnsmasq.d.
  prove "dnsmasq accepts its configuration" /usr/share/dnsmasq/systemd-helper checkconfig
fi
if [ -e /seed/expected/etc/nftables.conf ]; then prove "nft accepts the rules" nft --check --file /etc/nftables.conf; fi
if [ -e /seed/expected/etc/groundplane/pods.nft ]; then
  prove "nft accepts the filter for pods" nft --check --file /etc/groundplane/pods.nft
fi
if [ -e /seed/expected/etc/haproxy/haproxy.cfg ]; then
  prove "haproxy accepts its configuration" haproxy -c -f /etc/haproxy/haproxy.cfg
fi
if [ -e /seed/expected/etc/nginx/nginx.conf ]; then
  # nginx binds when it checks, and this network has no address of the seed.
  settings=/seed/expected/etc/sysctl.d/90-floating-ip.conf
  [ ! -e "$settings" ] || /usr/lib/systemd/systemd-sysctl "$settings"
  prove "nginx accepts its configuration" nginx -t -q -c /etc/nginx/nginx.conf
fi
if [ -e /seed/expected/etc/groundplane/etcd-proxy.cfg ]; then
  prove "haproxy accepts the proxy of etcd" haproxy -c -f /etc/groundplane/etcd-proxy.cfg
fi
if [ -e /seed/expected/etc/corosync/corosync.conf ]; then
  # Corosync finds itself among the members by its addresses.
  ip address add "$(sed -n 's/^NODE_ADDRESS="\(.*\)"$/\1/p' /etc/groundplane/node.env)/32" dev lo
  prove "corosync accepts its configuration" corosync -t
fi
if [ -e /seed/expected/etc/keepalived/keepalived.conf ]; then
  # keepalived requires its interface.
  ip link add dmz type bridge
  prove "keepalived accepts its configuration" keepalived --config-test --use-file /etc/keepalived/keepalived.conf
fi
if [ -e /seed/expected/var/lib/pacemaker/cib/cib.xml ]; then
  prove "pacemaker accepts its configuration" crm_verify --xml-file /var/lib/pacemaker/cib/cib.xml
fi
if [ -e /seed/expected/etc/groundplane/cluster.xml ]; then
  prove "pacemaker accepts its future configuration" crm_verify --xml-file /etc/groundplane/cluster.xml
fi
for configuration in /seed/expected/etc/groundplane/kubeadm/*.yaml; do
  [ -e "$configuration" ] || continue
  here=${configuration#/seed/expected}
  prove "kubeadm accepts $(basename "$configuration")" kubeadm config validate --config "$here"
  # Nothing on an etcd machine has time limits of kubeadm.
  [ -e /usr/local/lib/groundplane/patient-configuration ] || continue
  # Treats every processor as slow.
  patient=$(KUBEADM_NATIVE_MS=1 /usr/local/lib/groundplane/patient-configuration "$here" 2>/dev/null)
  prove "kubeadm accepts $(basename "$configuration") with longer limits" kubeadm_accepts_limits "$patient"
done
