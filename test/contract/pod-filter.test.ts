import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { test } from "node:test";
import { podFilter } from "../../cloud-init/files/kubernetes/pod-filter";
import { patienceMs } from "../support/cluster-under-test";
import { examplePlan } from "../support/example-plans";

const skip = process.getuid?.() !== 0 && "needs root for network namespaces";

/** Of the lab: the pod's own node, another worker, a storage machine. */
const nodes = { own: "192.168.58.11", other: "192.168.58.12", storage: "192.168.60.11" };
const attempts: readonly { readonly to: string; readonly port: number; readonly passes: boolean }[] = [
  { to: nodes.own, port: 22, passes: false },
  { to: nodes.own, port: 10250, passes: false },
  { to: nodes.own, port: 8080, passes: true },
  { to: "fe80::1%eth0", port: 22, passes: false },
  { to: "fe80::1%eth0", port: 8080, passes: true },
  { to: nodes.other, port: 22, passes: false },
  { to: nodes.other, port: 10250, passes: false },
  { to: nodes.other, port: 2379, passes: false },
  { to: nodes.other, port: 24007, passes: false },
  { to: nodes.other, port: 8080, passes: true },
  { to: nodes.other, port: 49152, passes: true },
  { to: nodes.storage, port: 8080, passes: false },
  { to: nodes.storage, port: 49152, passes: false },
];

/**
 * A node with one pod on its bridge, and one namespace for the other two machines. What is made here ends with the process.
 * Prints `ADDRESS PORT yes|no` for each attempt of the pod, then the same for the node itself.
 */
const script = `
set -eu
mount -t tmpfs none /run
mkdir -p /run/netns
ip netns add pod
ip netns add others
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.disable_ipv6=0
ip link set lo up
ip link add cni0 type bridge
ip address add 10.244.1.1/24 dev cni0
ip -6 address add fe80::1/64 dev cni0 nodad
ip link add pod0 type veth peer name eth0 netns pod
ip link set pod0 master cni0
ip link set pod0 up
ip link set cni0 up
ip -n pod link set lo up
ip -n pod link set eth0 up
ip -n pod address add 10.244.1.2/24 dev eth0
ip -n pod -6 address add fe80::2/64 dev eth0 nodad
ip -n pod route add default via 10.244.1.1
ip link add workers type veth peer name workers netns others
ip address add ${nodes.own}/24 dev workers
ip link set workers up
ip -n others link set lo up
ip -n others link set workers up
ip -n others address add ${nodes.other}/24 dev workers
ip -n others address add ${nodes.storage}/32 dev workers
ip -n others route add 10.244.1.0/24 via ${nodes.own}
ip route add ${nodes.storage}/32 dev workers
nft --file "$RULES"
listen='for (const port of [22, 2379, 8080, 10250, 24007, 49152]) require("node:net").createServer((s) => s.end()).listen(port, "::")'
"$NODE" -e "$listen" &
ip netns exec others "$NODE" -e "$listen" &
until ss -Hltn | grep -q :49152 && ip netns exec others ss -Hltn | grep -q :49152; do sleep 0.1; done
try() { if timeout 2 "$NODE" -e 'const s = require("node:net").connect(process.argv[2], process.argv[1]); s.on("connect", () => process.exit(0)); s.on("error", () => process.exit(1))' "$1" "$2"; then echo "$1 $2 yes"; else echo "$1 $2 no"; fi; }
export -f try
while read -r to port; do ip netns exec pod bash -c 'try "$0" "$1"' "$to" "$port"; done <<<"$ATTEMPTS"
echo node
while read -r to port; do try "$to" "$port"; done <<<"$NODE_ATTEMPTS"
kill %1 %2
`;

test("pods reach neither the management of nodes nor storage machines, and the node itself reaches both", {
  skip,
}, () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pod-filter-"));
  try {
    const rules = path.join(folder, "pods.nft");
    fs.writeFileSync(rules, podFilter(examplePlan("lab"))[0]?.content ?? "");
    const lines = (all: typeof attempts): string => all.map(({ to, port }) => `${to} ${port}`).join("\n");
    const ofNode = attempts.filter(({ to }) => to === nodes.other || to === nodes.storage);
    const ran = spawnSync("unshare", ["--net", "--mount", "bash", "-c", script], {
      encoding: "utf8",
      timeout: patienceMs,
      env: {
        PATH: process.env.PATH,
        RULES: rules,
        NODE: process.execPath,
        ATTEMPTS: lines(attempts),
        NODE_ATTEMPTS: lines(ofNode),
      },
    });
    assert.equal(ran.status, 0, ran.stderr);
    assert.deepEqual(ran.stdout.trim().split("\n"), [
      ...attempts.map(({ to, port, passes }) => `${to} ${port} ${passes ? "yes" : "no"}`),
      "node",
      ...ofNode.map(({ to, port }) => `${to} ${port} yes`),
    ]);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});
