#!/bin/bash
# answer QUESTION…: answers questions about the health of this machine, all at the same time, and changes nothing. An answer is
# the text between the lines `@ask QUESTION` and `@end CODE`; code 3: the question does not apply to this machine. `status` sends
# this script with its questions over SSH, so that it also works on machines with an older seed.
set -u
: "${NODE_ENVIRONMENT:=/etc/groundplane/node.env}"
# shellcheck source=/dev/null
. "$NODE_ENVIRONMENT"
inapplicable=3
pki=/etc/kubernetes/pki

ask_services() { /usr/local/lib/groundplane/node-ready && ask_components; }
# The probes of static pods, for components that are services. The API server and etcd are part of node-ready.
ask_components() {
  local name port
  for name in ${CONTROL_PLANE_SERVICES:-}; do
    case $name in kube-controller-manager) port=10257 ;; kube-scheduler) port=10259 ;; *) continue ;; esac
    if [ -e "/etc/kubernetes/manifests/$name.yaml" ] && ! curl -skf --max-time 2 -o /dev/null "https://127.0.0.1:$port/healthz"; then
      echo "$name is not healthy: journalctl --unit $name says why"
      return 1
    fi
  done
}

# Those of the plan that run all the time: a unit that was stopped has not failed.
ask_stopped_units() {
  local wanted
  read -ra wanted <<<"$(systemctl show --value --property=Wants groundplane.target)"
  [ "${#wanted[@]}" -gt 0 ] || return "$inapplicable"
  # shellcheck disable=SC2016 # the dollars are awk's
  timeout 4 systemctl show --property=Id,Restart,ActiveState,ConditionResult "${wanted[@]}" | awk '
    BEGIN { RS = ""; FS = "\n" }
    {
      split("", value)
      for (line = 1; line <= NF; line++) value[substr($line, 1, index($line, "=") - 1)] = substr($line, index($line, "=") + 1)
      runs = value["Restart"] == "always" || value["Id"] ~ /\.timer$/
      if (runs && value["ActiveState"] == "inactive" && value["ConditionResult"] == "yes") print value["Id"]
    }'
}

ask_failed_units() { systemctl list-units --failed --plain --no-legend --no-pager --full; }

# The time comes first: the answer is compared with the clock of the host that reads it.
ask_clock() {
  date +%s%3N
  if systemd-detect-virt --quiet --container; then
    echo shared
  else
    # The leap status stays "Normal" without any source, so the sources are asked as well.
    timeout 3 chronyc -n -c tracking && timeout 3 chronyc -n -c sources
  fi
}

ask_disk_room() {
  local folder folders=()
  for folder in / /var /var/log /var/lib /var/lib/etcd /var/lib/containerd /var/lib/kubelet ${MOUNT_POINTS:-}; do
    if [ -d "$folder" ]; then folders+=("$folder"); fi
  done
  timeout 3 df --block-size=M --output=target,size,avail,itotal,iavail "${folders[@]}" | sort -u
  # After an error of its disk, the kernel mounts a file system read-only.
  for folder in "${folders[@]}"; do [ -w "$folder" ] || echo "read-only $folder"; done
}

# certificate PATH <CERTIFICATE: its path and its end.
certificate() { printf '%s %s\n' "$1" "$(openssl x509 -noout -enddate 2>/dev/null)"; }

ask_certificates() {
  local file data found=
  for file in "$pki"/*.crt "$pki"/etcd/*.crt /var/lib/kubelet/pki/kubelet-{client,server}-current.pem \
    /etc/haproxy/*.crt /etc/ssl/glusterfs.{pem,ca}; do
    if [ -e "$file" ]; then openssl x509 -in "$file" 2>/dev/null | certificate "$file" && found=yes; fi
  done
  for file in /etc/kubernetes/*.conf; do
    data=$(sed -n 's/^ *client-certificate-data: //p' "$file" 2>/dev/null)
    if [ -n "$data" ]; then base64 -d <<<"$data" | certificate "$file" && found=yes; fi
  done
  [ -n "$found" ] || return "$inapplicable"
}

ask_api_server() {
  local server=$NODE_ADDRESS:$API_PORT
  curl -sS --max-time 3 --cacert "$pki/ca.crt" -o /dev/null -w '\nreadyz %{http_code}\n' "https://$server/readyz"
  timeout 3 openssl s_client -connect "$server" </dev/null 2>/dev/null | openssl x509 -noout -enddate
}

etcd() {
  etcdctl --endpoints=https://127.0.0.1:2379 --cacert="$pki/etcd/ca.crt" --command-timeout=3s --dial-timeout=2s \
    --cert="$pki/etcd/healthcheck-client.crt" --key="$pki/etcd/healthcheck-client.key" "$@" --write-out=json
}
ask_etcd_status() { etcd endpoint status; }
ask_etcd_members() { etcd member list; }
ask_etcd_disk() { curl -sSf --max-time 3 http://127.0.0.1:2381/metrics | grep '^etcd_disk_wal_fsync_duration_seconds_bucket'; }

# The settings' age counts while there is no backup yet.
ask_backups() {
  [ -n "${BACKUP_EVERY:-}" ] || return "$inapplicable"
  echo "every $BACKUP_EVERY"
  echo "now $(date +%s)"
  echo "set $(stat -c %Y "$NODE_ENVIRONMENT")"
  if [ -e "$BACKUP_STATE" ]; then echo "newest $(cat "$BACKUP_STATE")"; fi
  if systemctl is-failed --quiet groundplane-backup; then
    echo "failed $(timeout 3 journalctl _SYSTEMD_UNIT=groundplane-backup.service --lines 1 --output cat --no-pager)"
  fi
}

by_pacemaker() { [ "${FLOATING_IP_BY:-}" = pacemaker ] || return "$inapplicable"; }
ask_corosync() { by_pacemaker && timeout 3 corosync-quorumtool -s; }
ask_pacemaker() { by_pacemaker && timeout 4 crm_mon --one-shot --output-as=xml; }
ask_floating_ip() { ip -4 -oneline address show to "${API_ADDRESS%/*}/32"; }
# nginx does not tell which masters it uses, so this balancer asks each master as HAProxy's checks do.
ask_masters() {
  local address port name
  echo nginx
  while read -r address port name; do
    curl -sS --max-time 3 --cacert /etc/haproxy/cluster-ca.crt --resolve "$name:$port:$address" -o /dev/null \
      -w "master $name %{http_code} %{errormsg}\n" "https://$name:$port/readyz" 2>/dev/null &
  done < <(sed -n 's/^ *server \([0-9.]*\):\([0-9]*\) .*; # \(.*\)$/\1 \2 \3/p' /etc/nginx/nginx.conf)
  wait
}
ask_backends() {
  case ${BALANCER:-haproxy} in
  nginx) ask_masters ;;
  *) echo "show stat" | timeout 3 socat -t 2 - UNIX-CONNECT:/run/haproxy/admin.sock ;;
  esac
}

# Whatever other roles it has.
is_gateway() { [ "$NODE_ADDRESS" = "$GATEWAY_ADDRESS" ]; }

ask_dns() {
  echo "expected $API_ADDRESS"
  timeout 4 getent -s hosts:dns ahostsv4 "$API_NAME"
}
# A client's request for settings without a lease (DHCPINFORM), on which the server keeps nothing. The server itself cannot be a
# client: its own packets would not pass the interface that is served.
ask_dhcp() {
  if is_gateway; then
    ss -Hlun 'sport = :67'
    return
  fi
  # shellcheck disable=SC2016 # the dollars are Perl's
  perl -MIO::Socket::INET -e '
    my ($server, $address, $mac) = @ARGV;
    my $socket = IO::Socket::INET->new(Proto => "udp", LocalAddr => $address, LocalPort => 68,
      PeerAddr => $server, PeerPort => 67) or die "cannot ask: $@\n";
    $mac =~ s/://g;
    $socket->send(pack("C4 a4 n2 a4 x12 H12 x202 H16", 1, 1, 6, 0, "ask?", 0, 0, inet_aton($address), $mac, "63825363350108ff"));
    $SIG{ALRM} = sub { print "no answer\n"; exit 1 };
    alarm 3;
    defined $socket->recv(my $answer, 1500) or do { print "no answer: $!\n"; exit 1 };
    print substr($answer, 4, 4) eq "ask?" ? "answered\n" : "no answer to this request\n";
  ' "$GATEWAY_ADDRESS" "$NODE_ADDRESS" "$(cat "/sys/class/net/$NODE_INTERFACE/address")"
}

# What the files load into an empty kernel, and what this kernel has. On machines of the cluster, kubelet, kube-proxy, flannel and
# pods own other tables; on all others every table counts.
ask_firewall() {
  local files=() table
  if is_gateway; then files+=(/etc/nftables.conf); fi
  if [ -e /etc/groundplane/pods.nft ]; then files+=(/etc/groundplane/pods.nft); fi
  if [ -e /etc/groundplane/hand-over.nft ]; then files+=(/etc/groundplane/hand-over.nft); fi
  echo expected
  # shellcheck disable=SC2016 # the dollar is the inner shell's
  timeout 4 unshare --net sh -euc 'for file; do nft --file "$file"; done; nft --stateless list ruleset' sh "${files[@]}" || return
  echo live
  if ! command -v kubelet >/dev/null; then
    timeout 4 nft --stateless list ruleset
    return
  fi
  for table in "inet groundplane" "inet groundplane_pods" "ip groundplane_receive"; do
    # shellcheck disable=SC2086 # a family and a name
    if nft list tables | grep -qx "table $table"; then nft --stateless list table $table || return; fi
  done
}
ask_network_policies() { timeout 4 nft --terse list chain inet kube-network-policies postrouting; }

ask_mounts() {
  [ -n "${VOLUME_MOUNT_POINT:-}" ] || return "$inapplicable"
  grep " $VOLUME_MOUNT_POINT fuse.glusterfs " /proc/self/mounts || return 1
  timeout 4 stat --file-system "$VOLUME_MOUNT_POINT" || echo "no response within 4 s"
}

ask_bricks() {
  echo "expected $VOLUME_BRICKS"
  timeout 6 gluster --mode=script volume status "$VOLUME_NAME" --xml
}
ask_heals() {
  # A single brick has no other copy to heal from.
  case $VOLUME_BRICKS in *" "*) ;; *) return "$inapplicable" ;; esac
  echo "expected $VOLUME_BRICKS"
  timeout 8 gluster --mode=script volume heal "$VOLUME_NAME" info summary
}

declare -A answers
for question in "$@"; do
  exec {answer}< <(
    # Also after an error that ends the shell.
    trap 'printf "\n@end %s\n" "$?"' EXIT
    "ask_${question//-/_}" 2>&1
  )
  answers[$question]=$answer
done
for question in "$@"; do
  printf '@ask %s\n' "$question"
  cat <&"${answers[$question]}"
done
