#!/bin/bash
# Runs inside a root tree: nginx with the nginx.conf of /seed in front of three masters on 127.0.1.1 to 127.0.1.3. Prints
# `WHAT RESULT` lines.
set -eu
cd /tmp
sed -E 's/server [0-9.]+:6443 (.*master-([0-9]))/server 127.0.1.\2:6444 \1/' /seed/nginx.conf >/etc/nginx/nginx.conf
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key -out crt -subj /CN=master 2>/dev/null

serve() { openssl s_server -quiet -www -accept "127.0.1.$1:6444" -cert crt -key key >/dev/null 2>&1 & }
# Thirty requests over new connections: how many succeed, and the longest time in milliseconds.
ask() {
  local good=0 longest=0 started ms
  for _ in {1..30}; do
    started=${EPOCHREALTIME/./}
    if curl -skf --max-time 3 -o /dev/null https://127.0.0.1:6443/; then good=$((good + 1)); fi
    ms=$(((${EPOCHREALTIME/./} - started) / 1000))
    if ((ms > longest)); then longest=$ms; fi
  done
  echo "$1 $good $longest"
}

# Ends the program with this pid file. While it ends, it drops connections that it has not accepted yet.
end() {
  local pid
  pid=$(cat "$1")
  kill "$pid"
  while kill -0 "$pid" 2>/dev/null; do sleep 0.01; done
}

serve 1
serve 2
serve 3
third=$!
sleep 0.5
nginx
echo "socket $(socat -t 1 -u UNIX-CONNECT:/run/nginx-answers.sock -)"
ask all
kill "$third"
ask refused
# Packets to it are lost, as those to a machine without power.
nft 'table inet lost { chain input { type filter hook input priority 0; ip daddr 127.0.1.3 drop; }; }'
ask lost
nft delete table inet lost
serve 3
sleep 2.5
ask returned

# Both programs listen for a moment while one replaces the other.
mkdir -p /run/haproxy /var/lib/haproxy /etc/haproxy
sed -E 's/^(  server .*) verifyhost.*/\1/; s/check check-ssl.*/check/' /seed/haproxy.cfg >/etc/haproxy/haproxy.cfg
sed -i -E 's/server master-([0-9]) [^ ]+/server master-\1 127.0.1.\1:6444/; /http-check|httpchk/d' /etc/haproxy/haproxy.cfg
haproxy -D -f /etc/haproxy/haproxy.cfg -p /run/haproxy.pid && echo "both $(ss -Hltn 'sport = :6443' | wc -l)"
end /run/nginx.pid
ask haproxy
nginx
end /run/haproxy.pid
ask nginx
# Killed, it leaves its socket behind. The unit removes it before the next start.
pid=$(cat /run/nginx.pid)
mapfile -t workers < <(pgrep --parent "$pid")
kill -KILL "$pid" "${workers[@]}"
sleep 0.2
nginx -t -q && echo "check passes beside a socket that remained"
jobs -p | xargs -r kill 2>/dev/null || true
