/**
 * Another image reaches three masters of a running stack by plain `pulumi up`: one after the other, as the same machines, also after a
 * kill in the middle. A master that does not work with it is a member again from its former image.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { up, waitForReadyNodes } from "../e2e/lab-under-test";
import { machineOf, planImage, seen } from "../e2e/planned-image";
import { isRolled, membersOf, rollMeanwhile } from "../e2e/rolled-members";
import { smallStack } from "../e2e/small-stack";
import { eventually, mustSucceed, patienceMs } from "../support/cluster-under-test";
import { killProviders } from "../support/kill-providers";
import { nspawnSkipReason } from "../support/nspawn-host";

const masters = ["master-1", "master-2", "master-3"];
const nodes = [...masters, "worker-1"];

test("a changed image reaches the masters, one after the other", {
  skip: nspawnSkipReason(),
  timeout: 30 * 60_000,
}, async (t) => {
  const stack = smallStack("roll-masters");
  const { cluster } = stack;
  const step = (name: string, run: (inner: TestContext) => Promise<void>) => stack.step(t, name, run);
  const on = async (node: string, command: string) =>
    mustSucceed(command, await cluster.onNode(node, command)).stdout.trim();
  const backups = () => on("master-1", "cd /var/lib/groundplane/backups && sha256sum *.backup");

  await step("three masters that keep backups on their system disks", async () => {
    stack.configure(`driver: nspawn
pools:
  balancers: {count: 1}
  masters: {count: 3}
  workers: {count: 1}
backups: {every: 1h}
options: {fastProbes: true, podGraceSeconds: 5}
`);
    await stack.start();
    await on("master-1", "unshare --mount /usr/local/lib/groundplane/take-backup now");
    await stack.isHealthy();
  });

  await step("up gives them the image; clients notice little, and no acknowledged write is lost", async (inner) => {
    const before = await backups();
    await on("master-2", "kubectl --kubeconfig /etc/kubernetes/admin.conf label node master-1 kept=yes");
    await rollMeanwhile(stack, inner, { nodes, members: masters, mark: "one" });
    const after = await backups();
    for (const line of before.split("\n")) assert.ok(after.includes(line), `${line} is in\n${after}`);
    const label = "kubectl --kubeconfig /etc/kubernetes/admin.conf get nodes --selector kept=yes --output name";
    assert.equal(await on("master-2", label), "node/master-1");
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
    await isRolled(stack, nodes, "one");
    const now = await membersOf(stack, "master-3");
    assert.deepEqual([now["master-2"], now["master-3"]], [members["master-2"], members["master-3"]]);
    await waitForReadyNodes(stack, 4);
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
    assert.deepEqual(Object.keys(await membersOf(stack, "master-3")).sort(), masters);
    await stack.isHealthy();
    await stack.previewsNoChange();
  });
});
