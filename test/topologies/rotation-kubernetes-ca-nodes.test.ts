/**
 * Nodes that join while the authority of a cluster is replaced, and nodes that get another image afterwards, trust the new one only. A node
 * does not leave in the same `up`.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { secondsSince, up, waitForReadyNodes } from "../e2e/lab-under-test";
import { planImage, seen } from "../e2e/planned-image";
import { smallStack } from "../e2e/small-stack";
import { mustSucceed } from "../support/cluster-under-test";
import { nspawnSkipReason } from "../support/nspawn-host";

const dataCenter = (workers: number, rotate: string): string => `driver: nspawn
pools:
  balancers: {count: 1}
  masters: {count: 1}
  workers: {count: ${workers}}
options: {fastProbes: true, podGraceSeconds: 5}
secrets: {rotate: ${rotate}}
`;

const nodes = ["master-1", "worker-1", "worker-2"];

test("nodes join and get images around a rotation", { skip: nspawnSkipReason(), timeout: 15 * 60_000 }, async (t) => {
  const stack = smallStack("ca-nodes");
  const { cluster } = stack;
  const step = (name: string, run: (inner: TestContext) => Promise<void>) => stack.step(t, name, run);
  const on = async (node: string, command: string) => mustSucceed(command, await cluster.onNode(node, command)).stdout;

  /** Texts of the authorities that kubelets accept clients of, and that they trust themselves. */
  const trusted = async (): Promise<readonly string[]> => {
    const inKubeconfig = "sed -n 's/^ *certificate-authority-data: //p' /etc/kubernetes/kubelet.conf | base64 -d";
    const seenTexts = new Set<string>();
    for (const node of nodes)
      for (const command of ["cat /etc/kubernetes/pki/ca.crt", inKubeconfig]) seenTexts.add(await on(node, command));
    return [...seenTexts];
  };
  const trustsOne = async (): Promise<string> => {
    const [text = "", ...others] = await trusted();
    assert.deepEqual([others.length, text.split("BEGIN CERTIFICATE").length - 1], [0, 1]);
    return text;
  };

  let before = "";

  await step("a stack with one worker", async () => {
    stack.configure(dataCenter(1, "{}"));
    await stack.start();
    before = await on("worker-1", "cat /etc/kubernetes/pki/ca.crt");
  });

  await step("another worker joins in the up that replaces the authority", async (inner) => {
    stack.configure(dataCenter(2, "{kubernetes-ca: 1}"));
    const started = performance.now();
    await up(stack);
    inner.diagnostic(`the rotation with another worker: ${secondsSince(started)}`);
    await waitForReadyNodes(stack, 3);
    assert.notEqual(await trustsOne(), before);
    await stack.isHealthy();
    await stack.previewsNoChange();
  });

  await step("nodes that get another image afterwards do not trust the former one again", async () => {
    const { generation } = await seen(stack, "worker-1");
    const present = await trustsOne();
    const image = await planImage(stack, "one", { "etc/image-mark": "one\n" });
    await up(stack);
    for (const name of nodes) assert.equal(await on(name, "cat /etc/image-mark"), "one\n");
    assert.deepEqual(await seen(stack, "worker-1"), { ...(await seen(stack, "worker-1")), generation, image });
    await waitForReadyNodes(stack, 3);
    assert.equal(await trustsOne(), present);
    await stack.isHealthy();
    await stack.previewsNoChange();
  });

  await step("a worker that leaves in the up of a rotation is refused", async () => {
    stack.configure(dataCenter(1, "{kubernetes-ca: 2}"));
    const { exitCode, stdout } = await cluster.pulumi("up", "--yes", "--skip-preview", "--non-interactive");
    assert.notEqual(exitCode, 0);
    assert.match(stdout.replaceAll(/\s+/g, " "), /worker-2 is a node that the plan does not have: add it again/);
    await waitForReadyNodes(stack, 3);
    const files = (await on("master-1", "ls /etc/kubernetes/pki")).split("\n");
    assert.ok(!files.includes("authorities.crt"), "no stage has begun");
  });
});
