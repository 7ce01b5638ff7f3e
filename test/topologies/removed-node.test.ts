/** Nodes that the cluster has removed while their machines stayed join again, as the same machines. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { etcdctl, waitForReadyNodes } from "../e2e/lab-under-test";
import { type SmallStack, smallStack } from "../e2e/small-stack";
import { mustSucceed } from "../support/cluster-under-test";
import { nspawnSkipReason } from "../support/nspawn-host";

interface Exported {
  readonly deployment: {
    resources: { readonly urn: string; dependencies?: readonly string[]; propertyDependencies?: object }[];
  };
}

/** As after a deletion of the membership that was killed before the one of the machine. */
async function loseMembership({ cluster, project }: SmallStack, name: string, witness: string): Promise<void> {
  mustSucceed("forget-node", await cluster.onNode(witness, `/usr/local/lib/groundplane/forget-node ${name}`));
  const file = path.join(project.data, "state.json");
  const { stdout } = mustSucceed("export", await cluster.pulumi("stack", "export"));
  const exported = JSON.parse(stdout) as Exported;
  const [lost = assert.fail(name)] = exported.deployment.resources
    .map(({ urn }) => urn)
    .filter((urn) => urn.endsWith(`index:Membership::${name}-membership`));
  exported.deployment.resources = exported.deployment.resources
    .filter(({ urn }) => urn !== lost)
    .map((each) => {
      const others = (urns: readonly string[] = []) => urns.filter((urn) => urn !== lost);
      const byProperty = Object.entries((each.propertyDependencies ?? {}) as Record<string, readonly string[]>);
      return {
        ...each,
        dependencies: others(each.dependencies),
        propertyDependencies: Object.fromEntries(byProperty.map(([property, urns]) => [property, others(urns)])),
      };
    });
  fs.writeFileSync(file, JSON.stringify(exported), { mode: 0o600 });
  mustSucceed("import", await cluster.pulumi("stack", "import", "--file", file));
}

for (const { title, name, pools, removed, nodes, members } of [
  {
    ...{ title: "a master and a worker", name: "rmv", nodes: 4, members: "master-1" },
    pools: "pools: {balancers: {count: 1}, masters: {count: 3}, workers: {count: 1}}\noptions: {fastProbes: true}",
    removed: [
      ["master-2", "master-1"],
      ["worker-1", "master-3"],
    ],
  },
  {
    ...{ title: "a machine of etcd beside services, and a master", name: "rmvx", nodes: 3, members: "etcd-1" },
    pools:
      "pools: {balancers: {count: 1}, masters: {count: 2}, etcd: {count: 3}, workers: {count: 1}}\n" +
      "options: {controlPlane: services, fastProbes: true}",
    removed: [
      ["etcd-2", "etcd-1"],
      ["master-2", "master-1"],
    ],
  },
] as const) {
  test(`${title} join again when their memberships are gone and their machines stay`, {
    skip: nspawnSkipReason(),
    timeout: 15 * 60_000,
  }, async (t) => {
    const stack = smallStack(name);
    const { cluster, driver } = stack;
    const generations = async () =>
      Promise.all(
        removed.map(async ([node]) => (await driver.inspectMachine({ stack: cluster.stack, name: node }))?.generation),
      );
    await stack.step(t, "start creates the stack", async () => {
      stack.configure(`driver: nspawn\n${pools}\n`);
      await stack.start();
    });
    for (const [node, witness] of removed) {
      await stack.step(t, `${node} joins again with the next start`, async () => {
        const before = await generations();
        await loseMembership(stack, node, witness);
        await stack.start();
        await waitForReadyNodes(stack, nodes);
        await stack.isHealthy();
        assert.deepEqual(await generations(), before);
        const { stdout } = await cluster.onNode(members, etcdctl("endpoint health --cluster"));
        assert.doesNotMatch(stdout, /unhealthy/);
        await stack.previewsNoChange();
      });
    }
  });
}
