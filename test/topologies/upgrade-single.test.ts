/** One machine cannot be upgraded in place, which a preview says. It moves to the next minor version of Kubernetes through a backup, with an outage. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { kubectl, secondsSince, supportFile } from "../e2e/lab-under-test";
import { smallStack } from "../e2e/small-stack";
import { from, isUpgraded, to } from "../e2e/upgraded-stack";
import { eventually, mustSucceed, patienceMs } from "../support/cluster-under-test";
import { exampleSettings } from "../support/example-stacks";
import { freePort, page } from "../support/host-observations";
import { nspawnSkipReason } from "../support/nspawn-host";
import { takeBackup } from "../support/take-backup";

const gateway = "gateway";

test(`one machine moves from Kubernetes ${from} to ${to} through a backup`, {
  skip: nspawnSkipReason(),
  timeout: 20 * 60_000,
}, async (t) => {
  const stack = smallStack("upgrade-one");
  const { cluster } = stack;
  const port = await freePort();
  const step = (name: string, run: (inner: TestContext) => Promise<void>) => stack.step(t, name, run);
  const configure = (kubernetesVersion: string): void => {
    const settings = {
      ...{ ...exampleSettings("single"), driver: "nspawn", kubernetesVersion },
      hostPorts: { nodePorts: [{ port, nodePort: 30080 }] },
    };
    stack.configure(JSON.stringify(settings));
  };
  const on = async (command: string) => mustSucceed(command, await cluster.onNode(gateway, command)).stdout.trim();
  const showsPage = () =>
    eventually(
      "the page",
      patienceMs,
      () => page(port),
      (text) => text === gateway,
    );
  let restore: readonly string[] = [];

  await step("one machine that serves a page and has a Secret", async () => {
    configure(from);
    await stack.start();
    const manifest = Buffer.from(supportFile("gateway-page.yaml")).toString("base64");
    await on(`echo ${manifest} | base64 -d | ${kubectl} apply -f -`);
    await on(`${kubectl} create secret generic sealed --from-literal=value=sealed-value`);
    await showsPage();
    await stack.isHealthy();
  });

  await step("a preview refuses the next release before anything changes, and names the way", async () => {
    configure(to);
    const { exitCode, stdout, stderr } = await cluster.pulumi("preview", "--non-interactive");
    assert.notEqual(exitCode, 0);
    const text = (stdout + stderr).replaceAll(/\s+/g, " ");
    assert.match(text, /gateway would keep the former release, because etcd would have no majority without it/);
    const named = `--stack ${cluster.stack}`;
    for (const command of ["backup", "destroy", "restore"])
      assert.ok(text.includes(`npx groundplane ${command} ${named}`), `${command} in ${text}`);
    assert.equal(await page(port), gateway);
    configure(from);
    restore = await takeBackup(cluster);
  });

  await step("the cluster of the next release begins with the backup", async (inner) => {
    const started = performance.now();
    mustSucceed("destroy", await cluster.groundplane("destroy", "--yes"));
    configure(to);
    mustSucceed("image build", await cluster.groundplane("image", "build"));
    mustSucceed("restore", await cluster.groundplane(...restore));
    await showsPage();
    inner.diagnostic(`no page for ${secondsSince(started)}`);
    const value = await on(`${kubectl} get secret sealed --output jsonpath={.data.value} | base64 -d`);
    assert.equal(value, "sealed-value");
    await isUpgraded(stack, gateway, 1);
  });
});
