/**
 * A master that cannot join with another image is a member of etcd again from its former image. A roll of masters that is killed goes on
 * with the next `up`.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { up, waitForReadyNodes } from "../e2e/lab-under-test";
import { machineOf, planImage, seen } from "../e2e/planned-image";
import { isRolled, membersOf } from "../e2e/rolled-members";
import { smallStack } from "../e2e/small-stack";
import { eventually, patienceMs } from "../support/cluster-under-test";
import { killProviders } from "../support/kill-providers";
import { nspawnSkipReason } from "../support/nspawn-host";

const nodes = ["master-1", "master-2", "master-3"];

test("a roll of masters that fails or is interrupted", {
  skip: nspawnSkipReason(),
  timeout: 20 * 60_000,
}, async (t) => {
  const stack = smallStack("roll-cut");
  const { cluster } = stack;
  const step = (name: string, run: (inner: TestContext) => Promise<void>) => stack.step(t, name, run);

  await step("three masters that run pods", async () => {
    stack.configure(`driver: nspawn
pools:
  balancers: {count: 1}
  masters: {count: 3, roles: [worker]}
  workers: {count: 0}
options: {fastProbes: true, podGraceSeconds: 5}
`);
    await stack.start();
  });

  await step("a master that cannot join with its image is a member again from its former one", async () => {
    const before = await Promise.all(nodes.map((name) => seen(stack, name)));
    const members = await membersOf(stack, "master-3");
    await planImage(
      stack,
      "broken",
      { "usr/local/bin/kubeadm": "#!/bin/sh\necho no such kubeadm >&2\nexit 1\n" },
      "master-1",
    );
    const failed = await cluster.pulumi("up", "--yes", "--skip-preview", "--non-interactive");
    assert.notEqual(failed.exitCode, 0);
    assert.match(failed.stdout.replaceAll(/\s+/g, " "), /master-1 does not work with .*, and it has its former image/);
    assert.deepEqual(await Promise.all(nodes.map((name) => seen(stack, name))), before);
    assert.notEqual((await cluster.onNode("master-1", "cat /etc/image-mark")).exitCode, 0);
    const now = await membersOf(stack, "master-3");
    assert.deepEqual([now["master-2"], now["master-3"]], [members["master-2"], members["master-3"]]);
    await waitForReadyNodes(stack, 3);
    await stack.isHealthy();
  });

  await step("a roll whose provider is killed goes on with the next up", async () => {
    const image = await planImage(stack, "two", { "etc/image-mark": "two\n" }, "master-2");
    const rolling = cluster.pulumi("up", "--yes", "--skip-preview", "--non-interactive");
    const isExchanged = async () => (await machineOf(stack, "master-1")).formerImage !== undefined;
    await eventually("master-1 has another disk", patienceMs, isExchanged, (yes) => yes);
    // It is joining by now, or about to.
    await new Promise((resolve) => setTimeout(resolve, 8_000));
    await killProviders(stack.project);
    assert.notEqual((await rolling).exitCode, 0);
    await up(stack);
    for (const name of nodes) {
      const { image: present, formerImage } = await seen(stack, name);
      assert.deepEqual([present, formerImage], [image, undefined], name);
    }
    await isRolled(stack, nodes, "two");
    assert.deepEqual(Object.keys(await membersOf(stack, "master-3")).sort(), nodes);
    await stack.isHealthy();
    await stack.previewsNoChange();
  });
});
