import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "js-yaml";
import { renderNetworkConfig } from "../../../cloud-init/network-config";
import type { DataCenterPlan } from "../../../stacks/plan/data-center-plan";
import { examplePlan } from "../../support/example-plans";

const lab = examplePlan("lab");

function networkOf(plan: DataCenterPlan, name: string): Record<string, Record<string, unknown>> {
  const node = plan.nodes.find((each) => each.name === name);
  assert.ok(node, name);
  const { version, ethernets } = load(renderNetworkConfig(plan, node)) as { version: number; ethernets: never };
  assert.equal(version, 2);
  return ethernets;
}

test("a node has one static interface, which is named after its segment and matched by its MAC", () => {
  assert.deepEqual(networkOf(lab, "worker-2"), {
    workers: {
      match: { macaddress: lab.nodes.find(({ name }) => name === "worker-2")?.interfaces[0]?.mac },
      "set-name": "workers",
      dhcp4: false,
      dhcp6: false,
      addresses: ["192.168.58.12/23"],
      routes: [{ to: "0.0.0.0/0", via: "192.168.58.1" }],
      nameservers: { addresses: ["192.168.58.1"], search: ["lab.internal"] },
    },
  });
});

test("the gateway has the uplink with the default route, and its address in every segment", () => {
  const ethernets = networkOf(lab, "gateway");
  assert.deepEqual(Object.keys(ethernets), ["uplink", "dmz", "masters", "workers", "storage"]);
  assert.deepEqual(ethernets.uplink?.routes, [{ to: "0.0.0.0/0", via: "10.0.2.2" }]);
  assert.deepEqual(ethernets.uplink?.addresses, ["10.0.2.15/24"]);
  for (const { name, gateway, prefixLength } of lab.segments) {
    assert.deepEqual(ethernets[name]?.addresses, [`${gateway}/${prefixLength}`]);
    assert.equal(ethernets[name]?.routes, undefined);
  }
});

test("a single balancer owns the floating IP, and no balancer of a pair has it at boot", () => {
  const single = networkOf(examplePlan("small"), "balancer-1");
  assert.deepEqual(single.dmz?.addresses, ["192.168.56.11/24", "192.168.56.10/24"]);
  assert.deepEqual(networkOf(lab, "balancer-1").dmz?.addresses, ["192.168.56.11/24"]);
});
