import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { PoolName } from "../../model/roles";
import type { Configuration } from "../../stacks/config/configuration";
import { address, cidr, contains, lastOf, overlaps } from "../../stacks/config/ipv4";
import { type DataCenterPlan, type NodePlan, nodesOf } from "../../stacks/plan/data-center-plan";
import { addOnNodes, announcersOf, announcingSegment } from "../../stacks/plan/plan-add-ons";
import { planDataCenter } from "../../stacks/plan/plan-data-center";
import { validConfiguration } from "../support/arbitrary-configuration";

function holdsForPlans(what: string, property: (plan: DataCenterPlan, configuration: Configuration) => void): void {
  test(what, () => {
    fc.assert(
      fc.property(validConfiguration, (configuration) => property(planDataCenter(configuration), configuration)),
    );
  });
}

function assertUnique(what: string, values: readonly string[]): void {
  const again = values.filter((value, position) => values.indexOf(value) !== position);
  assert.deepEqual(again, [], what);
}

const interfacesOf = (plan: DataCenterPlan) => plan.nodes.flatMap((node) => node.interfaces);
const isLeased = (plan: DataCenterPlan, ip: string): boolean =>
  plan.segments.some(
    ({ dynamicRange }) => address(ip) >= address(dynamicRange.first) && address(ip) <= address(dynamicRange.last),
  );

holdsForPlans("segments and service addresses lie inside the network and apart from each other", (plan) => {
  const ranges = [...plan.segments.map((segment) => cidr(segment.cidr)), cidr(plan.serviceAddresses)];
  for (const [position, range] of ranges.entries()) {
    assert.ok(contains(cidr(plan.cidr), range.network) && contains(cidr(plan.cidr), lastOf(range)));
    for (const other of ranges.slice(position + 1)) assert.ok(!overlaps(range, other));
  }
});

holdsForPlans("every address is a host address of its segment, outside the leased range", (plan) => {
  for (const { segment: name, address: ip, prefixLength } of interfacesOf(plan)) {
    const segment = plan.segments.find((found) => found.name === name);
    assert.ok(segment);
    assert.equal(prefixLength, segment.prefixLength);
    assert.ok(contains(cidr(segment.cidr), address(ip)));
    assert.ok(ip !== segment.networkAddress && ip !== segment.broadcast);
    assert.ok(!isLeased(plan, ip), ip);
  }
});

holdsForPlans("names, addresses, MACs and identities are unique", (plan) => {
  const disks = plan.nodes.flatMap((node) => node.dataDisks);
  assertUnique("names", [...plan.nodes.map(({ name }) => name), ...disks.map(({ name }) => name)]);
  assertUnique("addresses", [...interfacesOf(plan).map((found) => found.address), plan.balancing.floatingIp]);
  assertUnique("MACs", [...interfacesOf(plan).map(({ mac }) => mac), plan.uplink.mac]);
  assertUnique("UUIDs", [...plan.nodes.map(({ uuid }) => uuid), ...disks.map(({ uuid }) => uuid)]);
});

holdsForPlans("MACs are unicast and locally administered", (plan) => {
  for (const { mac } of [...interfacesOf(plan), plan.uplink]) {
    assert.match(mac, /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/);
    assert.equal(Number.parseInt(mac.slice(0, 2), 16) & 3, 2);
  }
});

holdsForPlans("the floating IP is in the dmz, belongs to no node and is not leased", (plan) => {
  const dmz = plan.segments.find(({ name }) => name === "dmz");
  assert.ok(dmz && contains(cidr(dmz.cidr), address(plan.balancing.floatingIp)));
  assert.ok(!isLeased(plan, plan.balancing.floatingIp));
  assert.equal(plan.balancing.prefixLength, dmz.prefixLength);
});

holdsForPlans("a plan is plain data and deterministic", (plan, configuration) => {
  assert.deepEqual(JSON.parse(JSON.stringify(plan)), plan);
  assert.deepEqual(planDataCenter(structuredClone(configuration)), plan);
});

holdsForPlans(
  "nodes that answer for service addresses are workers in one segment, and each gets the images",
  (plan) => {
    const segment = announcingSegment(plan);
    assert.equal(segment !== undefined, plan.addOns.includes("metallb"));
    if (segment === undefined) return;
    const images = addOnNodes(plan).map(({ name }) => name);
    for (const { name, roles, interfaces } of announcersOf(plan)) {
      assert.ok(roles.includes("worker") && !roles.includes("gateway"));
      assert.deepEqual(
        interfaces.map((nic) => nic.segment),
        [segment],
      );
      assert.ok(images.includes(name));
    }
  },
);

holdsForPlans("each node's main interface comes first", (plan) => {
  for (const node of plan.nodes) assert.equal(node.address, node.interfaces[0]?.address);
});

const steps: Readonly<Record<"masters" | "workers", number>> = { masters: 2, workers: 1 };
const byName = (nodes: readonly NodePlan[]) => new Map(nodes.map((node) => [node.name, node]));

for (const [pool, step] of Object.entries(steps) as [PoolName, number][]) {
  holdsForPlans(`growing or shrinking ${pool} changes no other node`, (plan, configuration) => {
    const { gateway, masters } = configuration.pools;
    // There are never more than two of them, or none beside the gateway.
    if (pool === "masters" && (masters.roles.includes("balancer") || gateway.roles.includes("master"))) return;
    const resized = { ...configuration.pools[pool], count: configuration.pools[pool].count + step };
    const grown = planDataCenter({ ...configuration, pools: { ...configuration.pools, [pool]: resized } });
    assert.equal(grown.nodes.length, plan.nodes.length + step);
    const after = byName(grown.nodes);
    for (const node of plan.nodes) assert.deepEqual(after.get(node.name), node);
    const others = ({ settings, ...rest }: DataCenterPlan) => ({
      ...rest,
      ...{ nodes: [], settings: { ...settings, [`pools.${pool}.count`]: "" } },
    });
    if (configuration.pools[pool].count > 0) assert.deepEqual(others(grown), others(plan));
    else assert.deepEqual({ ...others(grown), settings: {} }, { ...others(plan), settings: {} });
  });
}

holdsForPlans("machines of etcd change only where etcd is, and grow by themselves", (plan, configuration) => {
  const { gateway } = configuration.pools;
  const withEtcd = (count: number) =>
    planDataCenter({
      ...configuration,
      pools: {
        ...configuration.pools,
        gateway: { ...configuration.pools.gateway, roles: gateway.roles.filter((role) => role !== "etcd") },
        etcd: { ...configuration.pools.etcd, count },
      },
    });
  const [three, five] = [withEtcd(3), withEtcd(5)];
  const identity = ({ name, uuid, address, interfaces }: NodePlan) => ({ name, uuid, address, interfaces });
  const after = byName(three.nodes);
  for (const node of plan.nodes.filter(({ roles }) => !roles.includes("gateway") && !roles.includes("etcd"))) {
    assert.deepEqual(after.get(node.name), node);
  }
  for (const node of nodesOf(plan, "master")) {
    const master = after.get(node.name) as NodePlan;
    // The gateway is in the segment of etcd, too.
    if (!node.roles.includes("gateway")) assert.deepEqual(identity(master), identity(node));
    assert.deepEqual(
      master.roles,
      node.roles.filter((role) => role !== "etcd"),
    );
  }
  for (const node of three.nodes) assert.deepEqual(byName(five.nodes).get(node.name), node);
  assert.deepEqual(
    nodesOf(five, "etcd").map(({ roles }) => roles),
    Array(5).fill(["etcd"]),
  );
  assert.equal(
    plan.segments.some(({ name }) => name === "etcd"),
    configuration.pools.etcd.count > 0,
  );
});

holdsForPlans("storage machines change no other machine, and a volume has one brick on each", (plan, configuration) => {
  const storage = { ...configuration.pools.storage, count: 3, disks: [{ name: "brick", sizeGiB: 1 }] };
  const other = planDataCenter({ ...configuration, pools: { ...configuration.pools, storage } });
  const after = byName(other.nodes);
  for (const node of plan.nodes) if (!node.roles.includes("storage")) assert.deepEqual(after.get(node.name), node);
  assert.deepEqual(
    other.volume?.bricks.map((brick) => [brick.node, brick.address, brick.folder]),
    [1, 2, 3].map((index) => [`storage-${index}`, after.get(`storage-${index}`)?.address, "/data/brick/volume"]),
  );
  assert.equal(plan.volume === undefined, configuration.pools.storage.count === 0);
});

holdsForPlans("a second balancer changes neither other nodes nor the floating IP", (plan, configuration) => {
  const balancers = { ...configuration.pools.balancers, count: 3 - configuration.pools.balancers.count };
  const other = planDataCenter({ ...configuration, pools: { ...configuration.pools, balancers } });
  const after = byName(other.nodes);
  for (const node of plan.nodes) if (node.name !== "balancer-2") assert.deepEqual(after.get(node.name), node);
  assert.equal(other.balancing.floatingIp, plan.balancing.floatingIp);
});
