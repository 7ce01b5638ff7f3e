/**
 * A running stack moves to the next minor version of Kubernetes by plain `pulumi up`: three masters with their etcd, then two workers, then
 * the add-ons, while clients use the API and a Service. The image of the newer release is built from its parts, if it is not there yet.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { smallStack } from "../e2e/small-stack";
import {
  from,
  isUpgraded,
  membersHaveNextRelease,
  standBeforeUpgrade,
  to,
  upgrade,
  whileClientsWork,
} from "../e2e/upgraded-stack";
import { mustSucceed } from "../support/cluster-under-test";
import { freePort } from "../support/host-observations";
import { nspawnSkipReason } from "../support/nspawn-host";
import { orderOfRoll } from "../support/order-of-roll";

const masters = ["master-1", "master-2", "master-3"];
const nodes = [...masters, "worker-1", "worker-2"];

test(`a stack moves from Kubernetes ${from} to ${to}`, {
  skip: nspawnSkipReason(),
  timeout: 40 * 60_000,
}, async (t) => {
  const stack = smallStack("upgrade");
  const { cluster } = stack;
  const step = (name: string, run: (inner: TestContext) => Promise<void>) => stack.step(t, name, run);
  const port = await freePort();
  const configure = (version: string, workers = 2): void =>
    stack.configure(`driver: nspawn
kubernetesVersion: ${version}
pools:
  balancers: {count: 1}
  masters: {count: 3}
  workers: {count: ${workers}}
hostPorts: {nodePorts: [{port: ${port}, nodePort: 30080}]}
options: {fastProbes: true, podGraceSeconds: 10}
`);
  const preview = async () => {
    const { exitCode, stdout, stderr } = await cluster.pulumi("preview", "--non-interactive");
    return { exitCode, text: (stdout + stderr).replaceAll(/\s+/g, " ") };
  };

  await step("a stack that serves a page from two pods, and images of the next release", () =>
    standBeforeUpgrade(stack, configure),
  );

  await step("a preview refuses it together with another change, and lists the nodes in their order", async () => {
    configure(to, 3);
    const refused = await preview();
    assert.notEqual(refused.exitCode, 0);
    assert.match(refused.text, /cannot become .*: a release is changed alone, and pools\.workers\.count would change/);
    configure(to);
    const { exitCode, text } = await preview();
    assert.equal(exitCode, 0, text);
    for (const node of nodes)
      assert.match(
        text,
        new RegExp(`${node} moves from \\S+ to \\S+ \\(Kubernetes ${from} -> ${to}\\): it is drained`),
      );
    const review = mustSucceed("preview", await cluster.groundplane("preview")).stdout;
    assert.equal(orderOfRoll(review), "master-1, master-2, master-3, worker-1, worker-2", review);
  });

  await step("up moves the masters, the workers and the add-ons; clients notice little", (inner) =>
    whileClientsWork(stack, inner, port, () => upgrade(stack, nodes)),
  );

  await step("every program has the version of the release, and the stack is healthy", async () => {
    await isUpgraded(stack, "master-1", nodes.length);
    await membersHaveNextRelease(stack, masters);
  });

  await step("the former release is refused", async () => {
    configure(from);
    const { exitCode, text } = await preview();
    assert.notEqual(exitCode, 0);
    assert.match(text, /kubernetesVersion: \S+ cannot become \S+: .*Kubernetes and etcd have no downgrade/);
  });
});
