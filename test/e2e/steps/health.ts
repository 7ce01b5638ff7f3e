import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { HealthCheckName } from "../../../model/health-checks";
import type { HealthRow } from "../../../verify/health/findings";
import type { brokenElsewhere } from "../../support/broken-elsewhere";
import { eventually, mustSucceed, patienceMs } from "../../support/cluster-under-test";
import {
  balancers,
  etcdctl,
  floatingIpHolder,
  kubectl,
  type LabUnderTest,
  type Step,
  secondsSince,
} from "../lab-under-test";

/** Breaks what most rows of `status` are about, several things at once, and repairs it. */

type Rows = ReadonlyMap<HealthCheckName, HealthRow>;

async function statusOf({ cluster }: LabUnderTest): Promise<{ readonly healthy: boolean; readonly rows: Rows }> {
  const { stdout, stderr, exitCode } = await cluster.groundplane("status", "--json");
  assert.ok(stdout.startsWith("{"), stderr);
  const { healthy, checks } = JSON.parse(stdout) as { healthy: boolean; checks: readonly HealthRow[] };
  assert.equal(exitCode, healthy ? 0 : 1);
  return { healthy, rows: new Map(checks.map((row) => [row.check, row])) };
}

const problems = (rows: Rows): readonly string[] =>
  [...rows.values()]
    .filter(({ state }) => state === "unhealthy" || state === "unknown")
    .map(({ check, state, summary }) => `${check} is ${state}: ${summary}`);

/** Rows that another test breaks: their faults need a machine, a disk or a database of their own. */
type BrokenElsewhere = keyof typeof brokenElsewhere;

/** Rows whose faults exclude those of others. */
type BrokenSecond = "api" | "etcd-leader" | "split-brain";

/** What each other row has to say of the faults. */
const named: Readonly<Record<Exclude<HealthCheckName, BrokenElsewhere | BrokenSecond>, RegExp>> = {
  power: /worker-2: is stopped/,
  services: /gateway: /,
  "failed-units": /worker-1: broken\.service/,
  "disk-room": /\/var\/lib\/etcd has 0 of 4 MiB free/,
  certificates: /master-2: \/etc\/kubernetes\/pki\/apiserver\.crt end(ed|s) on \d{4}-\d\d-\d\d/,
  firewall: /gateway: inet groundplane chain input also has `tcp dport 4444 accept`/,
  "network-policies": /worker-1[^:]*: does not enforce NetworkPolicies/,
  "api-servers": /master-2: its certificate ended on \d{4}-\d\d-\d\d \d\d:\d\d UTC/,
  backends: /master-2 is DOWN \(L6/,
  "floating-ip": /balancer-1, balancer-2: one of several/,
  corosync: /2 of 3 members/,
  pacemaker: /haproxy is unmanaged/,
  dns: /no answer/,
  dhcp: /balancer-1.*: no answer|gateway: no process listens/,
  "etcd-members": /has never started/,
  "etcd-learners": /is a learner/,
  "etcd-alarms": /^master-2: NOSPACE$/,
  leaders: /kube-scheduler.*silent for \d+ s|kube-controller-manager.*silent for \d+ s/,
  nodes: /ghost: is a Node without a planned machine/,
  pods: /kube-system\/broken/,
  "cluster-objects": /kube-flannel-cfg/,
  bricks: /storage-3: the brick .* is not served/,
  heals: /storage-3: its copy does not respond/,
  mounts: /worker-1: the volume is not mounted/,
};

const mountPoint = "/var/lib/groundplane/volumes/data";
const brick = "/data/brick/volume";
const serveBrick = "gluster --mode=script volume start data force";
const flannel = "kube-flannel get configmap kube-flannel-cfg";

/** Looks for certificates that end some minutes after each boot, and every hour. */
const renewalTimer = "groundplane-renew-certificates.timer";

/** Its certificate ends after some seconds, as if its renewal had been forgotten for a year. */
const shortCertificate = `systemctl stop ${renewalTimer} && cd /etc/kubernetes/pki &&
  rm apiserver.crt apiserver.key &&
  awk '{ print } /^kind: "?ClusterConfiguration/ { print "certificateValidityPeriod: 8s" }' \
    /etc/groundplane/kubeadm/control-plane.yaml >/run/short.yaml &&
  kubeadm init phase certs apiserver --config /run/short.yaml`;

/** Each brick blames both others, as after writes to separated copies. */
const blame = (...clients: readonly number[]): string => `cd ${brick} &&
  for client in ${clients.join(" ")}; do
    setfattr -n trusted.afr.data-client-$client -v 0x000000010000000000000000 divided || exit 1
  done &&
  gfid=$(getfattr -n trusted.gfid --only-values divided | od -An -v -tx1 | tr -d ' \\n') &&
  : >".glusterfs/indices/xattrop/$(sed 's/\\(........\\)\\(....\\)\\(....\\)\\(....\\)/\\1-\\2-\\3-\\4-/' <<<"$gfid")"`;

const alarm = `id=$(${etcdctl("member list")} | awk -F ', ' '$3 == "master-2" { print $1 }') &&
  cd /etc/kubernetes/pki/etcd && curl -sf --cacert ca.crt --cert server.crt --key server.key \
    https://127.0.0.1:2379/v3/maintenance/alarm \
    --data "{\\"action\\":\\"ACTIVATE\\",\\"alarm\\":\\"NOSPACE\\",\\"memberID\\":\\"$(printf %u "0x$id")\\"}"`;

const rule = "tcp dport 4444 accept";
const label = "groundplane.internal/network-policies";

const nodeObject = '{"apiVersion":"v1","kind":"Node","metadata":{"name":"ghost"}}';

async function breakEverything(lab: LabUnderTest, other: string): Promise<void> {
  const { cluster } = lab;
  const on = async (node: string, ...commands: readonly string[]): Promise<void> => {
    mustSucceed(`break ${node}`, await cluster.onNode(node, commands.join(" && ")));
  };
  // Changes of objects come first: they go through the balancer, which may have chosen the master of the short certificate.
  await on(
    "master-1",
    `${kubectl} -n ${flannel} -o json | jq "del(.metadata.uid, .metadata.resourceVersion)" >/run/flannel.json`,
    `${kubectl} delete -f /run/flannel.json`,
    `echo "${nodeObject.replaceAll('"', '\\"')}" | ${kubectl} create -f -`,
    `${kubectl} -n kube-system run broken --image=groundplane.internal/none:1 --image-pull-policy=Never`,
    `${kubectl} label node worker-1 ${label}-`,
    etcdctl("member add ghost --learner --peer-urls=https://192.168.57.99:2380"),
  );
  await on("worker-1", `echo one >${mountPoint}/divided`, `sync ${mountPoint}`);
  assert.ok(lab.driver.hardKill);
  await Promise.all([
    lab.driver.hardKill.hardKill({ stack: cluster.stack, name: "worker-2" }),
    on("gateway", "systemctl stop dnsmasq pacemaker corosync", `nft insert rule inet groundplane input ${rule}`),
    // On both: Pacemaker may move its own address meanwhile, and then a single other one would be gone.
    ...balancers.map((name) =>
      on(name, "echo 1 >/proc/sys/net/ipv4/conf/all/arp_ignore", "ip address add 192.168.56.10/32 dev lo"),
    ),
    on(
      other,
      "crm_resource --meta --set-parameter is-managed --parameter-value false --resource haproxy",
      "mkdir -p /var/lib/etcd",
      "mount -t tmpfs -o size=4m tmpfs /var/lib/etcd",
      "{ head -c 5M /dev/zero >/var/lib/etcd/full 2>/dev/null || true; }",
    ),
    on("master-2", shortCertificate),
    on("storage-1", blame(1, 2)),
    on("storage-2", blame(0, 2)),
    on("storage-3", blame(0, 1), "pkill -f ^/usr/sbin/glusterfsd"),
    on(
      "worker-1",
      "systemctl stop groundplane-volume",
      `umount --lazy ${mountPoint}`,
      "{ systemd-run --quiet --wait --unit=broken false || true; }",
    ),
    on("master-1", alarm),
  ]);
}

async function repairEverything(lab: LabUnderTest, other: string): Promise<void> {
  const { cluster } = lab;
  const on = (node: string, ...commands: readonly string[]) => cluster.onNode(node, commands.join("; "));
  const clean = (...clients: readonly number[]): string =>
    clients.map((client) => `setfattr -x trusted.afr.data-client-${client} ${brick}/divided`).join("; ");
  await on(
    "master-1",
    // etcd has just got its majority back.
    'again() { for _ in {1..30}; do eval "$1" && return; sleep 1; done; }',
    `again '${etcdctl("alarm disarm")}'`,
    `${etcdctl("member list")} | awk -F ", " '$6 == "true" { print $1 }' | while read -r id; do ${etcdctl("member remove $id")}; done`,
    `again '${kubectl} create -f /run/flannel.json'`,
    `again '${kubectl} label node worker-1 ${label}=enforced --overwrite'`,
    `again '${kubectl} delete node ghost --ignore-not-found --wait=false'`,
    `again '${kubectl} -n kube-system delete pod broken --ignore-not-found --force --grace-period=0'`,
  );
  const renewed = await Promise.all([
    on(
      "master-2",
      `systemctl start groundplane-renew-certificates ${renewalTimer}`,
      "systemctl show -p Result groundplane-renew-certificates",
    ),
    lab.driver.startMachine({ stack: cluster.stack, name: "worker-2" }),
    on("gateway", "systemctl start corosync pacemaker dnsmasq", "systemctl reload nftables"),
    ...balancers.map((name) =>
      on(name, "ip address del 192.168.56.10/32 dev lo", "echo 0 >/proc/sys/net/ipv4/conf/all/arp_ignore"),
    ),
    on(other, "crm_resource --meta --delete-parameter is-managed --resource haproxy", "umount /var/lib/etcd"),
    on("storage-1", clean(1, 2)),
    on("storage-2", clean(0, 2)),
    on("storage-3", clean(0, 1), serveBrick),
    on("worker-1", "systemctl reset-failed broken", "systemctl start groundplane-volume"),
  ]);
  assert.match(renewed[0].stdout, /Result=success/, "the certificate was renewed");
}

/** A row that does not name its fault. */
const missing = (rows: Rows, expected: Readonly<Partial<Record<HealthCheckName, RegExp>>>): readonly string[] =>
  Object.entries(expected).flatMap(([check, observed]) => {
    const row = rows.get(check as HealthCheckName);
    const isNamed = row?.state === "unhealthy" && observed.test(row.summary) && row.next !== "";
    return isNamed ? [] : [`${check} is ${row?.state}: ${row?.summary}`];
  });

/** Depends on the load of the host, or is not promised. */
const volatile = /^(?:etcd-disk|clock-source|failed-units) /;

/** Breaks what the rows are about, and waits until each row names it. */
async function breakUntilNamed(lab: LabUnderTest, other: string, t: TestContext): Promise<void> {
  const { cluster } = lab;
  const rowsNow = async () => (await statusOf(lab)).rows;
  const started = performance.now();
  await breakEverything(lab, other);
  t.diagnostic(`the faults took ${secondsSince(started)}`);
  await eventually(
    "every injected fault is named",
    patienceMs,
    async () => missing(await rowsNow(), named),
    (left) => left.length === 0,
  );

  const halt = (signal: string) =>
    Promise.all(["master-1", "master-2"].map((name) => cluster.onNode(name, `pkill -${signal} -f "^etcd "`)));
  await Promise.all([halt("STOP"), cluster.onNode("storage-3", serveBrick)]);
  // Gluster finds a split-brain only while all copies respond.
  const second: Readonly<Record<BrokenSecond, RegExp>> = {
    ...{ "etcd-leader": /master-3: knows no leader/, api: /does not respond|status/ },
    "split-brain": /storage-1.*: 1 files are in split-brain/,
  };
  await eventually(
    "no leader, and a split-brain",
    patienceMs,
    async () => missing(await rowsNow(), second),
    (left) => left.length === 0,
  ).finally(() => halt("CONT"));
  t.diagnostic(`all injected faults were named after ${secondsSince(started)}`);
}

export const injectedFaultsAreNamed: Step = async (lab, t) => {
  const ask = () => statusOf(lab);
  const left = async () => problems((await ask()).rows).filter((line) => !volatile.test(line));
  await eventually("the lab is healthy", patienceMs, left, (lines) => lines.length === 0);
  let started = performance.now();
  const { rows } = await ask();
  t.diagnostic(`status of a healthy lab took ${secondsSince(started)}`);
  assert.match(rows.get("certificates")?.summary ?? "", /\d{2} certificates; the first to end: .* in \d+ days/);

  const holder = await floatingIpHolder(lab, balancers);
  const other = balancers.find((name) => name !== holder) ?? "";
  // A fault that is not named is no reason to leave the lab broken for the steps that follow.
  const failure = await breakUntilNamed(lab, other, t).then(
    () => undefined,
    (error: unknown) => error,
  );
  started = performance.now();
  await repairEverything(lab, other);
  await eventually("everything is repaired", patienceMs, left, (lines) => lines.length === 0);
  t.diagnostic(`the repair took ${secondsSince(started)}`);
  if (failure) throw failure;
};
