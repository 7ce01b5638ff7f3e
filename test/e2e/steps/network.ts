import assert from "node:assert/strict";
import { eventually, patienceMs } from "../../support/cluster-under-test";
import { plugIn } from "../../support/visiting-host";
import type { Step } from "../lab-under-test";

interface Attempt {
  readonly from: string;
  readonly to: string;
  readonly port: number;
  readonly passes: boolean;
}

/** For each pair of segments, one listed flow, if there is any, and one unlisted flow. */
const attempts: readonly Attempt[] = [
  { from: "balancer-1", to: "192.168.57.12", port: 6443, passes: true },
  { from: "balancer-1", to: "192.168.57.12", port: 2379, passes: false },
  { from: "balancer-1", to: "192.168.58.11", port: 10250, passes: false },
  { from: "balancer-1", to: "192.168.60.11", port: 24007, passes: false },
  { from: "master-2", to: "192.168.56.10", port: 6443, passes: true },
  { from: "master-2", to: "192.168.56.11", port: 22, passes: false },
  { from: "master-2", to: "192.168.58.11", port: 10250, passes: true },
  { from: "master-2", to: "192.168.58.11", port: 22, passes: false },
  { from: "master-2", to: "192.168.60.11", port: 24007, passes: false },
  { from: "master-2", to: "192.168.60.11", port: 22, passes: false },
  { from: "worker-1", to: "192.168.56.10", port: 6443, passes: true },
  { from: "worker-1", to: "192.168.56.11", port: 22, passes: false },
  { from: "worker-1", to: "192.168.57.12", port: 6443, passes: true },
  { from: "worker-1", to: "192.168.57.12", port: 2379, passes: false },
  { from: "worker-1", to: "192.168.60.11", port: 24007, passes: true },
  { from: "worker-1", to: "192.168.60.11", port: 22, passes: false },
  { from: "storage-1", to: "192.168.57.12", port: 6443, passes: false },
  { from: "storage-1", to: "192.168.58.11", port: 10250, passes: false },
  { from: "storage-1", to: "192.168.56.10", port: 6443, passes: false },
];

export const onlyListedFlowsPass: Step = async ({ cluster }) => {
  const seen = await Promise.all(
    attempts.map(async ({ from, to, port, passes }) => {
      const { exitCode } = await cluster.onNode(from, `timeout 3 bash -c ': </dev/tcp/${to}/${port}' 2>/dev/null`);
      return { from, to, port, expected: passes, passes: exitCode === 0 };
    }),
  );
  assert.deepEqual(
    seen.filter(({ expected, passes }) => expected !== passes),
    [],
  );
};

export const unknownHostGetsLeaseAndName: Step = async ({ cluster }) => {
  const visitor = plugIn({ stack: cluster.stack, segment: "workers", hostName: "visitor" });
  try {
    const address = visitor.lease();
    assert.match(address, /^192\.168\.59\.\d+$/, "the lease is from the dynamic range");
    const lookUp = () => cluster.onNode("worker-1", "getent hosts visitor.e2e.internal");
    const found = await eventually("its name", patienceMs, lookUp, ({ exitCode }) => exitCode === 0);
    assert.equal(found.stdout.split(/\s+/)[0], address);
  } finally {
    visitor.unplug();
  }
};
