/**
 * An upgrade of a stack whose etcd has machines of its own: those first, then two masters that run pods. Its provider is killed on the way, and
 * the next `up` goes on.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { deploy } from "../e2e/lab-under-test";
import { machineOf } from "../e2e/planned-image";
import { membersOf } from "../e2e/rolled-members";
import { smallStack } from "../e2e/small-stack";
import { from, isUpgraded, to, upgrade, whileClientsWork } from "../e2e/upgraded-stack";
import { eventually, mustSucceed, patienceMs } from "../support/cluster-under-test";
import { freePort } from "../support/host-observations";
import { killProviders } from "../support/kill-providers";
import { nspawnSkipReason } from "../support/nspawn-host";

const members = ["etcd-1", "etcd-2", "etcd-3"];

test(`a stack with machines of etcd moves from Kubernetes ${from} to ${to}`, {
  skip: nspawnSkipReason(),
  timeout: 40 * 60_000,
}, async (t) => {
  const stack = smallStack("upgrade-etcd");
  const { cluster } = stack;
  const step = (name: string, run: (inner: TestContext) => Promise<void>) => stack.step(t, name, run);
  const port = await freePort();
  const configure = (version: string): void =>
    stack.configure(`driver: nspawn
kubernetesVersion: ${version}
pools:
  balancers: {count: 1}
  etcd: {count: 3}
  masters: {count: 2, roles: [worker]}
  workers: {count: 0}
hostPorts: {nodePorts: [{port: ${port}, nodePort: 30080}]}
options: {fastProbes: true, podGraceSeconds: 10}
`);

  await step("three machines of etcd, and two masters that serve a page", async () => {
    configure(from);
    await stack.start();
    await deploy(stack, "replicated-page.yaml", "page");
    await stack.isHealthy();
    configure(to);
    mustSucceed("image build", await cluster.groundplane("image", "build"));
  });

  await step("an upgrade whose provider is killed goes on with the next up", (inner) =>
    whileClientsWork(stack, inner, port, async () => {
      const rolling = cluster.pulumi("up", "--yes", "--skip-preview", "--non-interactive");
      const isExchanged = async () => (await machineOf(stack, "etcd-1")).formerImage !== undefined;
      await eventually("etcd-1 has another disk", patienceMs, isExchanged, (yes) => yes);
      // It leaves and joins by now, or is about to.
      await new Promise((resolve) => setTimeout(resolve, 6_000));
      await killProviders(stack.project);
      assert.notEqual((await rolling).exitCode, 0);
      await upgrade(stack, ["etcd-2", "etcd-3", "master-1", "master-2"]);
    }),
  );

  await step("every program has the version of the release, and the stack is healthy", async () => {
    assert.equal((await machineOf(stack, "etcd-1")).spec.image, (await machineOf(stack, "etcd-2")).spec.image);
    await isUpgraded(stack, "master-1", 2);
    assert.deepEqual(Object.keys(await membersOf(stack, "etcd-1")).sort(), members);
  });
});
