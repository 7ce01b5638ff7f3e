/** Another image reaches three masters of a running stack by plain `pulumi up`: one after the other, as the same machines. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { kubectl } from "../e2e/lab-under-test";
import { rollMeanwhile } from "../e2e/rolled-members";
import { smallStack } from "../e2e/small-stack";
import { mustSucceed } from "../support/cluster-under-test";
import { nspawnSkipReason } from "../support/nspawn-host";

const masters = ["master-1", "master-2", "master-3"];
const nodes = [...masters, "worker-1"];

test("a changed image reaches the masters, one after the other", {
  skip: nspawnSkipReason(),
  timeout: 20 * 60_000,
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
    await on("master-2", `${kubectl} label node master-1 kept=yes`);
    await rollMeanwhile(stack, inner, { nodes, members: masters, mark: "one" });
    const after = await backups();
    for (const line of before.split("\n")) assert.ok(after.includes(line), `${line} is in\n${after}`);
    assert.equal(await on("master-2", `${kubectl} get nodes --selector kept=yes --output name`), "node/master-1");
  });
});
