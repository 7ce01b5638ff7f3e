import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfiguration } from "../../../../stacks/config/parse-configuration";
import { type DataCenterPlan, nodesOf } from "../../../../stacks/plan/data-center-plan";
import { planDataCenter } from "../../../../stacks/plan/plan-data-center";
import { exampleConfiguration } from "../../../support/example-stacks";

const lab = planDataCenter(exampleConfiguration("lab"));

function planOf(value: unknown, stack = "lab"): DataCenterPlan {
  const { configuration, problems } = parseConfiguration(value, { stack });
  assert.ok(configuration, JSON.stringify(problems));
  return planDataCenter(configuration);
}

test("the lab's machines have their expected addresses", () => {
  assert.deepEqual(
    lab.nodes.map(({ name, address }) => `${name} ${address}`),
    [
      "gateway 192.168.56.1",
      "balancer-1 192.168.56.11",
      "balancer-2 192.168.56.12",
      "master-1 192.168.57.11",
      "master-2 192.168.57.12",
      "master-3 192.168.57.13",
      "worker-1 192.168.58.11",
      "worker-2 192.168.58.12",
      "storage-1 192.168.60.11",
      "storage-2 192.168.60.12",
      "storage-3 192.168.60.13",
    ],
  );
  assert.equal(nodesOf(lab, "worker").length, 2);
});

// These values are identities of existing machines. A change of any value replaces all machines.
test("identities never change", () => {
  const master = lab.nodes.find(({ name }) => name === "master-1");
  assert.ok(master);
  const { volumes: _sizes, shutdownSeconds: _time, ...identity } = master;
  assert.deepEqual(identity, {
    name: "master-1",
    roles: ["master", "etcd"],
    index: 1,
    fqdn: "master-1.lab.internal",
    uuid: "1f2e882f-db3f-5f4b-8012-e3cd52a5977a",
    cpus: 2,
    memoryMiB: 2048,
    diskGiB: 20,
    interfaces: [
      {
        name: "masters",
        segment: "masters",
        mac: "52:a5:c0:a8:39:0b",
        address: "192.168.57.11",
        prefixLength: 24,
      },
    ],
    address: "192.168.57.11",
    dataDisks: [],
  });
});

test("the gateway has an interface in every segment and on the uplink", () => {
  const gateway = lab.nodes[0];
  assert.deepEqual(
    gateway?.interfaces.map(({ name, address }) => [name, address]),
    [
      ["dmz", "192.168.56.1"],
      ["masters", "192.168.57.1"],
      ["workers", "192.168.58.1"],
      ["storage", "192.168.60.1"],
    ],
  );
  assert.deepEqual(lab.uplink, {
    mac: "52:a5:0a:00:02:0f",
    address: "10.0.2.15",
    prefixLength: 24,
    router: "10.0.2.2",
    dns: "10.0.2.3",
    reachable: [],
  });
});

test("all segments are parts of one range", () => {
  assert.deepEqual(
    lab.segments.map(({ name, cidr, gateway, broadcast, dynamicRange }) => [
      ...[name, cidr, gateway, broadcast],
      `${dynamicRange.first}-${dynamicRange.last}`,
    ]),
    [
      ["dmz", "192.168.56.0/24", "192.168.56.1", "192.168.56.255", "192.168.56.192-192.168.56.254"],
      ["masters", "192.168.57.0/24", "192.168.57.1", "192.168.57.255", "192.168.57.192-192.168.57.254"],
      ["workers", "192.168.58.0/23", "192.168.58.1", "192.168.59.255", "192.168.59.128-192.168.59.254"],
      ["storage", "192.168.60.0/24", "192.168.60.1", "192.168.60.255", "192.168.60.192-192.168.60.254"],
    ],
  );
  assert.equal(lab.segments[2]?.netmask, "255.255.254.0");
  assert.equal(lab.serviceAddresses, "192.168.62.0/23");
});

test("two balancers are a pair, and a single balancer owns the floating IP permanently", () => {
  assert.deepEqual(lab.balancing, {
    floatingIp: "192.168.56.10",
    prefixLength: 24,
    port: 6443,
    program: "haproxy",
    movedBy: "pacemaker",
    tokenMs: 230,
    consensusMs: 80,
    knetPingIntervalMs: 200,
    knetPingTimeoutMs: 400,
    advertisementMs: 200,
    connectMs: 250,
    checkMs: 1000,
    takeoverMs: 1000,
  });
  assert.equal(planDataCenter(exampleConfiguration("small")).balancing.movedBy, "static");
  assert.equal(planOf({ options: { failoverBy: "keepalived" } }).balancing.movedBy, "keepalived");
  assert.equal(planOf({ options: { failover: "calm" } }).balancing.tokenMs, 1000);
});

test("the cluster is reached through the floating IP and through the host", () => {
  const { kubernetes } = planOf({ floatingIp: "192.168.56.20", network: { serviceCidr: "10.112.0.0/20" } });
  assert.equal(kubernetes.endpoint, "192.168.56.20:6443");
  assert.equal(kubernetes.dnsServiceIp, "10.112.0.10");
  assert.deepEqual(kubernetes.certificateNames, ["192.168.56.20", "api.lab.internal", "127.0.0.1", "localhost"]);
});

test("each data disk has its own name and identity", () => {
  const disks = nodesOf(lab, "storage").flatMap(({ dataDisks }) => dataDisks);
  assert.deepEqual(
    disks.map(({ name, mountPoint, sizeGiB }) => [name, mountPoint, sizeGiB]),
    [
      ["storage-1-brick", "/data/brick", 4],
      ["storage-2-brick", "/data/brick", 4],
      ["storage-3-brick", "/data/brick", 4],
    ],
  );
  assert.equal(new Set(disks.map(({ uuid }) => uuid)).size, 3);
});

test("two stacks of the same shape have the same addresses and different identities", () => {
  const [one, other] = [planOf({}, "one"), planOf({}, "two")];
  assert.deepEqual(
    one.nodes.map(({ address }) => address),
    other.nodes.map(({ address }) => address),
  );
  const identities = (plan: DataCenterPlan) =>
    plan.nodes.flatMap((node) => [node.uuid, node.fqdn, ...node.interfaces.map(({ mac }) => mac)]);
  const shared = identities(one).filter((identity) => identities(other).includes(identity));
  assert.deepEqual(shared, []);
});

test("a pool that is too large for its segment is refused", () => {
  const configuration = exampleConfiguration("lab");
  const pools = { ...configuration.pools, masters: { ...configuration.pools.masters, count: 201 } };
  assert.throws(() => planDataCenter({ ...configuration, pools }), /node 182 does not fit into segment masters/);
});
