import assert from "node:assert/strict";
import { mustSucceed } from "../../support/cluster-under-test";
import { countsOf, deploy, masters, nodesOfApp, type Step, secondsSince, up } from "../lab-under-test";

/** Each join has a token of its own, which is deleted in the cluster and on the node. */
export const noJoinTokenRemains: Step = async ({ cluster }) => {
  const select = ["--field-selector", "type=bootstrap.kubernetes.io/token", "-o", "name"];
  const tokens = await cluster.kubectl("master-1", "--namespace", "kube-system", "get", "secrets", ...select);
  assert.equal(mustSucceed("get tokens", tokens).stdout.trim(), "");
  const files = "ls /var/lib/groundplane/join-token /run/groundplane-*.yaml 2>/dev/null || true";
  for (const node of [...masters, "worker-1", "worker-2"])
    assert.equal(mustSucceed(node, await cluster.onNode(node, files)).stdout, "", node);
};

export const workerIsAddedAlone: Step = async (lab, t) => {
  lab.configure({ workers: 3 });
  const started = performance.now();
  const grown = await up(lab);
  t.diagnostic(`add-worker took ${secondsSince(started)}`);
  assert.doesNotMatch(countsOf(grown), /replaced|deleted/);
  const machines = grown.stdout.split("\n").filter((line) => /index:Machine .*(created|updated|replaced)/.test(line));
  assert.ok(machines.length > 0);
  assert.ok(
    machines.every((line) => line.includes("worker-3")),
    machines.join("\n"),
  );
  const node = await lab.cluster.kubectl("master-1", "get", "node", "worker-3", "--no-headers");
  assert.match(node.stdout, /worker-3\s+Ready/);
  await noJoinTokenRemains(lab, t);
};

export const workerIsRemoved: Step = async (lab) => {
  await deploy(lab, "roaming-pod.yaml", "roamer");
  assert.equal(await nodesOfApp(lab, "roamer"), "worker-3");
  lab.configure({ workers: 2 });
  assert.match(countsOf(await up(lab)), /deleted/);
  assert.notEqual((await lab.cluster.kubectl("master-1", "get", "node", "worker-3")).exitCode, 0);
  assert.equal(await lab.driver.inspectMachine({ stack: lab.cluster.stack, name: "worker-3" }), undefined);
  // The worker was drained: its pod was evicted and runs on another node.
  assert.match(await nodesOfApp(lab, "roamer"), /^worker-[12]$/);
  const evictions = "grep -c 'pods/roamer.*/eviction' /var/log/kubernetes/audit.log || true";
  const counts = await Promise.all(masters.map((node) => lab.cluster.onNode(node, evictions)));
  assert.ok(
    counts.some(({ stdout }) => Number(stdout) > 0),
    "the audit log holds the eviction",
  );
};
