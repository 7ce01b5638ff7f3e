#!/bin/bash
# Runs inside a root tree: HAProxy with the haproxy.cfg of /seed and one master on 127.0.0.1:6444 that presents certificates of
# several kinds, one after the other. Prints `KIND STATUS CHECK REASON` as HAProxy sees the master.
set -eu
cd /tmp
mkdir -p /run/haproxy /var/lib/haproxy /etc/haproxy

authority() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.crt" -subj "/CN=$1" 2>/dev/null; }
# certificate NAME AUTHORITY HOST NOT_AFTER
certificate() {
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.csr" -subj /CN=kube-apiserver 2>/dev/null
  printf 'extendedKeyUsage=serverAuth\nsubjectAltName=DNS:%s,DNS:kubernetes\n' "$3" >"$1.ext"
  openssl x509 -req -in "$1.csr" -CA "$2.crt" -CAkey "$2.key" -CAcreateserial -extfile "$1.ext" -out "$1.crt" \
    -not_before 20200101000000Z -not_after "$4" 2>/dev/null
}

authority cluster
authority other
certificate valid cluster master-1 20991231235959Z
certificate expired cluster master-1 20200201000000Z
certificate foreign other master-1 20991231235959Z
certificate misnamed cluster worker-1 20991231235959Z
cp cluster.crt /etc/haproxy/cluster-ca.crt
sed -E 's/(server master-1) [^ ]+/\1 127.0.0.1:6444/; /server master-[23]/d' /seed/haproxy.cfg >/etc/haproxy/haproxy.cfg
haproxy -D -f /etc/haproxy/haproxy.cfg -p /run/haproxy.pid

state() { echo "show stat" | socat -t 1 - UNIX-CONNECT:/run/haproxy/admin.sock | grep '^masters,master-1,' | cut -d, -f18,37,57 | sed 's/,\* /,/'; }

# settled PATTERN: prints the state when it matches, or the last one.
settled() {
  local seen=
  for _ in {1..100}; do
    seen=$(state)
    if [[ "$seen" =~ $1 ]]; then break; fi
    sleep 0.2
  done
  echo "$seen"
}
serve() { openssl s_server -quiet -www -accept 127.0.0.1:6444 -cert "$1.crt" -key "$1.key" >/dev/null 2>&1 & }

for kind in valid expired valid foreign misnamed valid; do
  settled DOWN,L4CON >/dev/null
  serve "$kind"
  echo "$kind $(settled 'UP,L7OK|DOWN,L6RSP')"
  kill $!
done
# A master that is not restarted: a resumed TLS session would not show that its certificate ends.
settled DOWN,L4CON >/dev/null
certificate ending cluster master-1 "$(date -u -d '+10 seconds' +%Y%m%d%H%M%SZ)"
serve ending
echo "before $(settled UP,L7OK)"
echo "after $(settled DOWN,L6RSP)"
kill $! "$(cat /run/haproxy.pid)"
