/**
 * A stack with a single master moves to the next minor version of Kubernetes by plain `pulumi up`: the master takes the data of etcd along,
 * then the workers follow. The API is away meanwhile, as a preview says; pods of workers serve, and no acknowledged write is lost.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { controlPlaneForms } from "../../model/control-planes";
import { kubectl } from "../e2e/lab-under-test";
import { smallStack } from "../e2e/small-stack";
import {
  from,
  isUpgraded,
  membersHaveNextRelease,
  servicesRunNextRelease,
  standBeforeUpgrade,
  to,
  upgrade,
  whileClientsWork,
} from "../e2e/upgraded-stack";
import { mustSucceed } from "../support/cluster-under-test";
import { freePort } from "../support/host-observations";
import { nspawnSkipReason } from "../support/nspawn-host";
import { orderOfRoll } from "../support/order-of-roll";

const master = "master-1";
const nodes = [master, "worker-1", "worker-2"];

/** Of the API: a boot and the start of a control plane. Pods serve meanwhile. Other tests use the processors. */
const longestMs = { api: 180_000, page: 6_000 };

for (const form of controlPlaneForms)
  test(`a stack with a single master moves from Kubernetes ${from} to ${to}, as ${form}`, {
    skip: nspawnSkipReason(),
    timeout: 30 * 60_000,
  }, async (t) => {
    const stack = smallStack(`lone-${form.slice(0, 3)}`);
    const { cluster } = stack;
    const step = (name: string, run: (inner: TestContext) => Promise<void>) => stack.step(t, name, run);
    const on = async (command: string) => mustSucceed(command, await cluster.onNode(master, command)).stdout.trim();
    const port = await freePort();
    const configure = (version: string): void =>
      stack.configure(`driver: nspawn
kubernetesVersion: ${version}
pools:
  balancers: {count: 1}
  masters: {count: 1}
  workers: {count: 2}
hostPorts: {nodePorts: [{port: ${port}, nodePort: 30080}]}
options: {controlPlane: ${form}, fastProbes: true, podGraceSeconds: 10}
`);

    await step("a stack that serves a page from two pods, and images of the next release", async () => {
      await standBeforeUpgrade(stack, configure);
      await on(`${kubectl} create secret generic sealed --from-literal=value=sealed-value`);
    });

    await step("a preview says what is unavailable meanwhile, and lists the nodes in their order", async () => {
      const told = mustSucceed("preview", await cluster.pulumi("preview")).stdout.replaceAll(/\s+/g, " ");
      assert.ok(
        told.includes(`(Kubernetes ${from} -> ${to}): it is drained, restarts from a new system disk, and starts`),
        told,
      );
      assert.match(
        told,
        /master-1 moves from .* the data of etcd; .* Unavailable meanwhile: the API, until it is back/,
      );
      assert.equal(
        orderOfRoll(mustSucceed("review", await cluster.groundplane("preview")).stdout),
        "master-1, worker-1, worker-2",
      );
    });

    await step("up moves the master, the workers and the add-ons", (inner) =>
      whileClientsWork(stack, inner, port, () => upgrade(stack, nodes), longestMs),
    );

    await step("every program has the version of the release, and the stack is healthy", async () => {
      await isUpgraded(stack, master, nodes.length, form);
      await membersHaveNextRelease(stack, [master]);
      if (form === "services") await servicesRunNextRelease(stack, [master]);
      const value = await on(`${kubectl} get secret sealed --output jsonpath={.data.value} | base64 -d`);
      assert.equal(value, "sealed-value");
    });
  });
