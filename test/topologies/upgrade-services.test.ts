/** An upgrade of a stack whose control plane is services: three masters with their etcd, then a worker, while clients use the API and a Service. */
import { type TestContext, test } from "node:test";
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
import { freePort } from "../support/host-observations";
import { nspawnSkipReason } from "../support/nspawn-host";

const masters = ["master-1", "master-2", "master-3"];
const nodes = [...masters, "worker-1"];

test(`services of a control plane move from Kubernetes ${from} to ${to}`, {
  skip: nspawnSkipReason(),
  timeout: 40 * 60_000,
}, async (t) => {
  const stack = smallStack("upgrade-svc");
  const step = (name: string, run: (inner: TestContext) => Promise<void>) => stack.step(t, name, run);
  const port = await freePort();
  const configure = (version: string): void =>
    stack.configure(`driver: nspawn
kubernetesVersion: ${version}
pools:
  balancers: {count: 1}
  masters: {count: 3, roles: [worker]}
  workers: {count: 1}
hostPorts: {nodePorts: [{port: ${port}, nodePort: 30080}]}
options: {controlPlane: services, fastProbes: true, podGraceSeconds: 10}
`);

  await step("three masters and a worker that serve a page, and images of the next release", () =>
    standBeforeUpgrade(stack, configure),
  );

  await step("up moves the masters, the worker and the add-ons; clients notice little", (inner) =>
    whileClientsWork(stack, inner, port, () => upgrade(stack, nodes)),
  );

  await step("every program has the version of the release, and the stack is healthy", async () => {
    await isUpgraded(stack, "master-1", nodes.length, "services");
    await membersHaveNextRelease(stack, masters);
    await servicesRunNextRelease(stack, masters);
  });
});
