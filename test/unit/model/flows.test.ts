import assert from "node:assert/strict";
import { test } from "node:test";
import { type FlowParty, interSegmentFlows } from "../../../model/flows";

const passes = (from: FlowParty, to: FlowParty, protocol: "tcp" | "udp", port: number): boolean =>
  interSegmentFlows.some(
    (flow) =>
      flow.from.includes(from) &&
      flow.to.includes(to) &&
      flow.protocol === protocol &&
      flow.ports.some((range) => {
        const [first, last] = String(range).split("-").map(Number);
        return port >= (first ?? 0) && port <= (last ?? first ?? 0);
      }),
  );

test("masters and workers reach all ports of each other, except SSH and those of etcd", () => {
  // A webhook, an exporter, a scrape of kube-proxy, an ingress on the host network, both ends of the NodePorts.
  for (const port of [1, 80, 443, 6443, 8443, 9100, 10249, 10250, 30000, 32767, 65535]) {
    assert.ok(passes("master", "worker", "tcp", port), `master to worker, ${port}`);
    assert.ok(passes("worker", "master", "tcp", port), `worker to master, ${port}`);
  }
  for (const port of [53, 8472, 30000]) {
    assert.ok(passes("master", "worker", "udp", port), `master to worker, ${port}`);
    assert.ok(passes("worker", "master", "udp", port), `worker to master, ${port}`);
  }
  assert.ok(!passes("master", "worker", "tcp", 22));
  for (const port of [22, 2379, 2380, 2381]) assert.ok(!passes("worker", "master", "tcp", port), String(port));
  for (const port of [21, 23, 2378, 2382]) assert.ok(passes("worker", "master", "tcp", port), String(port));
});

test("no other segment is opened by it", () => {
  for (const from of ["master", "worker"] as const) {
    for (const port of [22, 80, 8472, 30000]) assert.ok(!passes(from, "balancer", "tcp", port));
    for (const port of [22, 80, 30000]) assert.ok(!passes(from, "storage", "tcp", port));
  }
  for (const to of ["master", "worker"] as const) assert.ok(!passes("storage", to, "tcp", 10250));
});
