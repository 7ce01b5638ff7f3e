/** Another image reaches machines of etcd, then the masters, of a running stack by plain `pulumi up`. */
import { type TestContext, test } from "node:test";
import { rollMeanwhile } from "../e2e/rolled-members";
import { smallStack } from "../e2e/small-stack";
import { nspawnSkipReason } from "../support/nspawn-host";

const members = ["etcd-1", "etcd-2", "etcd-3"];

test("a changed image reaches the machines of etcd, then the masters", {
  skip: nspawnSkipReason(),
  timeout: 20 * 60_000,
}, async (t) => {
  const stack = smallStack("roll-etcd");
  const step = (name: string, run: (inner: TestContext) => Promise<void>) => stack.step(t, name, run);

  await step("three machines of etcd and two masters that run pods", async () => {
    stack.configure(`driver: nspawn
pools:
  balancers: {count: 1}
  etcd: {count: 3}
  masters: {count: 2, roles: [worker]}
  workers: {count: 0}
options: {fastProbes: true, podGraceSeconds: 5}
`);
    await stack.start();
    await stack.isHealthy();
  });

  await step("up gives them the image; clients notice little, and no acknowledged write is lost", (inner) =>
    rollMeanwhile(stack, inner, { nodes: [...members, "master-1", "master-2"], members, mark: "one" }),
  );
});
