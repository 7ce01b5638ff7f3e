/**
 * Two servers that are master, balancer and worker, with the gateway's vote: the other options that the lab does not have, services of
 * the control plane, nginx beside Pacemaker, calm failover and restricted pods.
 */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { stringify } from "yaml";
import { componentNames } from "../../cloud-init/files/kubernetes/control-plane-components";
import { mustSucceed } from "../support/cluster-under-test";
import { exampleSettings } from "../support/example-stacks";
import { nspawnSkipReason } from "../support/nspawn-host";
import { assertOutages, verifyStack } from "../support/verify-stack";
import { etcdctl } from "./lab-under-test";
import { smallStack } from "./small-stack";

/** The targets are for idle cores and fast failover, and other tests run beside this one. */
const LONGEST_GAP_MS = 20_000;

const options = { controlPlane: "services", balancer: "nginx", failover: "calm", podSecurity: "restricted" };

test("two servers without containers for their control plane", {
  skip: nspawnSkipReason(),
  timeout: 20 * 60_000,
}, async (t) => {
  const stack = smallStack("two");
  const { cluster, isHealthy, previewsNoChange } = stack;
  const step = (name: string, run: (inner: TestContext) => Promise<void>) => stack.step(t, name, run);
  const on = async (node: string, command: string) =>
    mustSucceed(command, await cluster.onNode(node, command)).stdout.trim();

  await step("start creates the stack, and status finds it healthy", async () => {
    stack.configure(stringify({ ...exampleSettings("pair"), driver: "nspawn", options }));
    await stack.start();
    await isHealthy();
    await previewsNoChange();
  });

  await step("each machine runs its components as services", async () => {
    await on("gateway", "systemctl is-active etcd");
    for (const name of ["master-1", "master-2"]) await on(name, `systemctl is-active ${componentNames.join(" ")}`);
    const members = (await on("gateway", etcdctl("member list --write-out=simple"))).split("\n");
    assert.deepEqual(members.map((row) => row.split(", ")[2]).sort(), ["gateway", "master-1", "master-2"]);
  });

  await step("either server loses its power, and no write is lost", async (inner) => {
    assertOutages(await verifyStack(cluster, inner, ["server-kill"]), () => LONGEST_GAP_MS);
  });
});
