/**
 * Health rows whose faults are too slow or too dangerous for a cluster: each is broken with the real program in namespaces of
 * its own, and `status`'s own questions and readers are used. The machine's files are in an overlay over /etc.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, describe, test } from "node:test";
import { podFilter } from "../../cloud-init/files/kubernetes/pod-filter";
import { renderNftablesConf } from "../../cloud-init/files/nftables-conf";
import { script } from "../../cloud-init/scripts/read-script";
import { readAlarms, readSize } from "../../verify/health/etcd-answers";
import { readEtcdDisk } from "../../verify/health/etcd-disk-answers";
import type { Finding, MachineAnswers, ReadAnswer } from "../../verify/health/findings";
import { readFirewall, readPolicyRules } from "../../verify/health/firewall-answers";
import { AnswerReader, type Question } from "../../verify/health/questions";
import { examplePlan } from "../support/example-plans";
import { builtProgram, missingPrograms } from "../support/real-cluster-api";

const skip = process.getuid?.() !== 0 && "needs root for mount namespaces";
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-broken-"));
after(() => fs.rmSync(folder, { recursive: true }));

/** Runs a script as root of a machine without a network, whose `ask NAME QUESTION` asks a question and keeps the answers. */
function onMachine(files: Readonly<Record<string, string>>, commands: string): (name: string) => AnswerReader {
  const machine = fs.mkdtempSync(path.join(folder, "machine-"));
  for (const [name, content] of Object.entries({ ...files, "/answer": script("health/answer") })) {
    const file = path.join(machine, "upper", name.replace(/^\/etc\//, ""));
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, content);
  }
  // What is left running ends with the machine, and what is mounted with both.
  const isolated = ["--net", "--mount", "--pid", "--fork", "--kill-child"];
  const ran = spawnSync("unshare", [...isolated, "bash", "-c", `${prepare}\n${commands}`], {
    encoding: "utf8",
    timeout: 180_000,
    env: { PATH: process.env.PATH, MACHINE: machine },
  });
  assert.equal(ran.status, 0, `${ran.stdout}\n${ran.stderr}`);
  return (name) => {
    const reader = new AnswerReader(Date.now());
    for (const line of fs.readFileSync(path.join(machine, name), "utf8").split("\n")) reader.read(line);
    return reader;
  };
}

const prepare = `set -eu
mount -t tmpfs none /mnt && mkdir /mnt/upper /mnt/work && cp -r "$MACHINE/upper/." /mnt/upper/
mount -t overlay -o "lowerdir=/etc,upperdir=/mnt/upper,workdir=/mnt/work" overlay /etc
ip link set lo up
ask() { bash -s -- "$2" </etc/answer >"$MACHINE/$1"; }`;

const found = (answers: AnswerReader, question: Question, read: ReadAnswer): Finding => {
  const answer = answers.answers.get(question);
  assert.ok(answer, question);
  return [read("gateway", answer)].flat()[0] as Finding;
};

describe("the firewall's rules", { skip }, () => {
  const environment = (address: string): string => `NODE_ADDRESS=${address}\nGATEWAY_ADDRESS=192.168.58.1\n`;
  const gateway = {
    "/etc/groundplane/node.env": environment("192.168.58.1"),
    "/etc/nftables.conf": renderNftablesConf(examplePlan("lab")),
  };

  test("those of a gateway's file are healthy, also after packets and a reload, and every change by hand is named", () => {
    const changes: Readonly<Record<string, readonly [string, RegExp]>> = {
      added: [
        "nft insert rule inet groundplane input tcp dport 4444 accept",
        /chain input also has `tcp dport 4444 accept`/,
      ],
      element: [
        "nft add element inet groundplane reachable '{ 10.1.0.0/16 }'",
        /set reachable also has `elements = \{ 10\.1\.0\.0\/16 \}`/,
      ],
      policy: [
        "nft add chain inet groundplane forward '{ policy accept; }'",
        /chain forward also has `.*policy accept;`; .*lacks `.*policy drop;`/,
      ],
      flushed: ["nft flush chain inet groundplane forward", /chain forward lacks `.*; and \d+ more$/],
      deleted: ["nft delete table inet groundplane", /inet groundplane .* is missing/],
      foreign: [
        "nft add table ip other && nft add chain ip other lost '{ type filter hook forward priority 0; policy drop; }'",
        /ip other chain lost is not in its file/,
      ],
      reordered: [
        `rule=$(nft --handle list chain inet groundplane input | sed -n 's/.*ct state invalid drop # handle //p')
         nft delete rule inet groundplane input handle "$rule" && nft add rule inet groundplane input ct state invalid drop`,
        /chain input has its rules in another order/,
      ],
    };
    const asked = onMachine(
      gateway,
      `nft --file /etc/nftables.conf
ask loaded firewall
nft add element inet groundplane echoes '{ 10.0.2.2 . 6443 . 192.168.56.10 . 40000 }'
ask packets firewall
${Object.entries(changes)
  .map(([name, [change]]) => `${change}\nask ${name} firewall\nnft flush ruleset\nnft --file /etc/nftables.conf`)
  .join("\n")}
ask restored firewall`,
    );
    for (const name of ["loaded", "packets", "restored"]) {
      assert.deepEqual(found(asked(name), "firewall", readFirewall).state, "healthy", name);
    }
    for (const [name, [, observed]] of Object.entries(changes)) {
      const finding = found(asked(name), "firewall", readFirewall);
      assert.equal(finding.state, "unhealthy", name);
      assert.match(finding.observed, observed, name);
    }
  });

  test("a node's own filter counts, and the tables of the cluster's programs do not; NetworkPolicies need their rules", () => {
    const asked = onMachine(
      {
        "/etc/groundplane/node.env": environment("192.168.58.11"),
        "/etc/groundplane/pods.nft": podFilter(examplePlan("lab"))[0]?.content ?? "",
      },
      `mkdir /mnt/bin && printf '#!/bin/sh\\n' >/mnt/bin/kubelet && chmod +x /mnt/bin/kubelet && PATH=/mnt/bin:$PATH
nft --file /etc/groundplane/pods.nft
nft 'table ip kube-proxy { chain services { type filter hook forward priority 0; drop; }; }'
ask loaded firewall
ask without network-policies
nft 'table inet kube-network-policies {
  set podips-v4 { type ipv4_addr; elements = { 10.244.1.7 }; }
  chain postrouting { type filter hook postrouting priority 95; ip saddr @podips-v4 drop; ip daddr @podips-v4 drop; }
}'
ask with network-policies
ask beside firewall
nft delete chain inet groundplane_pods to_other_nodes
ask opened firewall`,
    );
    for (const name of ["loaded", "beside"]) {
      assert.equal(found(asked(name), "firewall", readFirewall).state, "healthy", name);
    }
    const opened = found(asked("opened"), "firewall", readFirewall);
    assert.match(
      `${opened.state} ${opened.observed}`,
      /^unhealthy inet groundplane_pods chain to_other_nodes is missing$/,
    );
    const policies = (name: string) => found(asked(name), "network-policies", readPolicyRules);
    assert.equal(policies("with").state, "healthy");
    assert.match(policies("without").observed, /its rules for NetworkPolicies are missing/);
  });

  test("a file that does not load leaves the row unknown, with the reason", () => {
    const asked = onMachine(
      { ...gateway, "/etc/nftables.conf": "table inet groundplane { chain }\n" },
      "ask broken firewall",
    );
    const finding = found(asked("broken"), "firewall", readFirewall);
    assert.match(
      `${finding.state} ${finding.observed}`,
      /^unknown nft cannot load or list them: .*nftables\.conf:1.*syntax error/,
    );
  });
});

/** etcd as on a node, with a small quota, on a disk whose writes can be limited to eight a second. */
const startEtcd = `
program=$1 keys=/etc/kubernetes/pki/etcd disk=/mnt/disk
PATH=$(dirname "$program"):$PATH
mkdir -p "$keys" "$disk"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=127.0.0.1 \\
  -addext subjectAltName=IP:127.0.0.1 -keyout "$keys/healthcheck-client.key" -out "$keys/healthcheck-client.crt" 2>/dev/null
cp "$keys/healthcheck-client.crt" "$keys/ca.crt"
truncate -s 512M "$MACHINE/disk"
mkfs.ext4 -qF "$MACHINE/disk"
mount -o loop "$MACHINE/disk" "$disk"
plain=http://127.0.0.1:2378
etcd --data-dir "$disk/etcd" --quota-backend-bytes 67108864 --listen-client-urls "https://127.0.0.1:2379,$plain" \\
  --advertise-client-urls https://127.0.0.1:2379 --listen-metrics-urls http://127.0.0.1:2381 --client-cert-auth \\
  --cert-file "$keys/ca.crt" --key-file "$keys/healthcheck-client.key" --trusted-ca-file "$keys/ca.crt" >"$MACHINE/log" 2>&1 &
etcd=$!
until curl -sf -o /dev/null http://127.0.0.1:2381/health; do kill -0 "$etcd" || { tail "$MACHINE/log"; exit 1; }; sleep 0.2; done
put() { curl -s -o /dev/null --data @"$1" "$plain/v3/kv/put?[1-$2]"; }
echo '{"key":"YQ==","value":"YQ=="}' >/mnt/small
{ printf '{"key":"Yg==","value":"'; head -c 1000000 /dev/zero | base64 -w 0; echo '"}'; } >/mnt/large
limited=
slow_disk() {
  local device limit
  device=$(mountpoint -d "$disk")
  if [ -d /sys/fs/cgroup/blkio ]; then
    limited=/sys/fs/cgroup/blkio/groundplane-$1 limit="blkio.throttle.write_iops_device $device 8"
  else
    limited=/sys/fs/cgroup/groundplane-$1 limit="io.max $device wiops=8"
    echo +io >/sys/fs/cgroup/cgroup.subtree_control
  fi
  mkdir "$limited"
  echo "\${limit#* }" >"$limited/\${limit%% *}"
  echo "$etcd" >"$limited/cgroup.procs"
}
end() {
  kill -KILL "$etcd"
  wait "$etcd" || true
  [ -z "$limited" ] || until rmdir "$limited"; do sleep 0.2; done
}
trap end EXIT
`;

describe("etcd", { skip, timeout: 240_000 }, () => {
  const ofEtcd = (answers: AnswerReader, read: (machines: readonly MachineAnswers[]) => readonly Finding[]): string => {
    const machine = {
      name: "etcd-1",
      roles: ["etcd"],
      power: "running",
      answers: answers.answers,
      silence: "",
    } as const;
    return read([machine])
      .map(({ state, observed }) => `${state}: ${observed}`)
      .join();
  };
  const environment = { "/etc/groundplane/node.env": "NODE_ROLE=etcd\n" };

  test("a database that nears its quota, and one beyond it, are named by etcd-size and etcd-alarms, whose next step repairs them", async (t) => {
    const missing = await missingPrograms("etcd", "etcdctl");
    if (missing) return t.skip(missing);
    const asked = onMachine(
      environment,
      `set -- ${builtProgram("etcd")}\n${startEtcd}
ask empty etcd-status
size() { curl -s http://127.0.0.1:2381/metrics | awk '/^etcd_mvcc_db_total_size_in_bytes / { printf "%d", $2 }'; }
until [ "$(size)" -gt 54000000 ]; do put /mnt/large 1; done
ask nearly etcd-status
put /mnt/large 20
ask full etcd-status
ctl() { etcdctl --endpoints "$plain" "$@"; }
ctl compact "$(ctl endpoint status --write-out=json | grep -o '"revision":[0-9]*' | cut -d : -f 2)"
ctl defrag
ctl alarm disarm
ask repaired etcd-status`,
    );
    assert.match(ofEtcd(asked("empty"), readSize), /^healthy: 0 MiB of 64 MiB$/);
    assert.match(ofEtcd(asked("nearly"), readSize), /^unhealthy: (?:5\d|6[0-3]) MiB of 64 MiB$/);
    assert.match(ofEtcd(asked("nearly"), readAlarms), /^healthy/);
    assert.match(ofEtcd(asked("full"), readAlarms), /^unhealthy: NOSPACE$/);
    assert.match(ofEtcd(asked("repaired"), readSize), /^healthy: [1-4] MiB of 64 MiB$/);
    assert.match(ofEtcd(asked("repaired"), readAlarms), /^healthy/);
  });

  test("a disk whose writes take too long is named by etcd-disk", async (t) => {
    const missing = await missingPrograms("etcd", "etcdctl");
    if (missing) return t.skip(missing);
    const asked = onMachine(
      environment,
      `set -- ${builtProgram("etcd")}\n${startEtcd}
put /mnt/small 120
slow_disk ${process.pid}
put /mnt/small 20
ask slow etcd-disk`,
    );
    assert.match(
      ofEtcd(asked("slow"), readEtcdDisk),
      /^unhealthy: 99 % of \d{3} writes within (?:128|256|512|1024|2048|4096) ms$/,
    );
  });
});
