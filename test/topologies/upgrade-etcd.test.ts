/**
 * An upgrade of a stack whose etcd has machines of its own: those first, then two masters, of which one API server stays, then the worker. Its provider is killed between two nodes and while nodes are exchanged, and the next `up` goes on.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { listFolder } from "../../host/file-store";
import { leftMembersOf } from "../../provider/resources/left-members";
import { secondsSince, up } from "../e2e/lab-under-test";
import { machineOf } from "../e2e/planned-image";
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
import { eventually, mustSucceed, patienceMs } from "../support/cluster-under-test";
import { freePort } from "../support/host-observations";
import { killProviders, providersOf } from "../support/kill-providers";
import { nspawnSkipReason } from "../support/nspawn-host";
import { orderOfRoll } from "../support/order-of-roll";

/** Longer than in an upgrade that runs through: three times, nodes stay away until the next `up` has begun. */
const LONGEST_GAP_MS = 15_000;

const members = ["etcd-1", "etcd-2", "etcd-3"];
const masters = ["master-1", "master-2"];
const nodes = [...members, ...masters, "worker-1"];

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
  workers: {count: 1}
hostPorts: {nodePorts: [{port: ${port}, nodePort: 30080}]}
options: {fastProbes: true, podGraceSeconds: 10}
`);

  const isBeingExchanged = async (node: string) => (await machineOf(stack, node)).formerImage !== undefined;

  /** One of them has left etcd to get another disk. */
  const isOneAway = async () => (await listFolder(leftMembersOf(cluster.stack))).length > 0;

  /** An `up` whose provider is killed a moment after something holds. */
  async function killedUp(what: string, holds: () => Promise<boolean>, laterMs: number): Promise<void> {
    const rolling = cluster.pulumi("up", "--yes", "--skip-preview", "--non-interactive");
    const isMoment = async () => providersOf(stack.project).length > 0 && (await holds());
    await eventually(what, patienceMs, isMoment, (yes) => yes);
    await new Promise((resolve) => setTimeout(resolve, laterMs));
    await killProviders(stack.project);
    assert.notEqual((await rolling).exitCode, 0, `killed when ${what}`);
  }

  await step("three machines of etcd, two masters and a worker that serve a page, and images of the next release", () =>
    standBeforeUpgrade(stack, configure),
  );

  await step("a preview lists the machines of etcd first, then the masters", async () => {
    const review = mustSucceed("preview", await cluster.groundplane("preview")).stdout;
    assert.equal(orderOfRoll(review), nodes.join(", "), review);
  });

  await step("an upgrade whose provider is killed again and again goes on with the next up", (inner) =>
    whileClientsWork(
      stack,
      inner,
      port,
      () =>
        upgrade(stack, nodes, async () => {
          const started = performance.now();
          const killed = async (what: string, holds: () => Promise<boolean>, laterMs: number) => {
            await killedUp(what, holds, laterMs);
            inner.diagnostic(`killed when ${what}, after ${secondsSince(started)}`);
          };
          const release = (await machineOf(stack, "etcd-1")).spec.image;
          const isThrough = async (node: string) =>
            (await machineOf(stack, node)).spec.image !== release && !(await isBeingExchanged(node));
          // It joins again by now, or is about to.
          await killed("a member has left etcd", isOneAway, 0);
          // Members of etcd of both releases, and masters of the former one.
          await killed("etcd-1 has its image", () => isThrough("etcd-1"), 0);
          // It gets the images of the add-ons, or joins.
          await killed("master-1 has another disk", () => isBeingExchanged("master-1"), 8_000);
          await up(stack);
        }),
      { api: LONGEST_GAP_MS, page: LONGEST_GAP_MS },
    ),
  );

  await step("every program has the version of the release, and the stack is healthy", async () => {
    await isUpgraded(stack, "master-1", masters.length + 1);
    await membersHaveNextRelease(stack, members);
  });
});
