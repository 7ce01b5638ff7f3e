import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { createNamespace, writeRepeatedly } from "../../verify/acknowledged-writes";
import { apiClient } from "../../verify/api-client";
import { mustSucceed } from "../support/cluster-under-test";
import { askMeanwhile, etcdctl, healthyEtcdMembers, tellGap, up } from "./lab-under-test";
import { planImage, seen } from "./planned-image";
import type { SmallStack } from "./small-stack";

/** The shared host also runs other tests. A balancer that sends a request to an API server that stops repeats it elsewhere. */
const LONGEST_GAP_MS = 6_000;
const PROBE_MS = 10;

/** The ids of the members of etcd, by name. */
export async function membersOf({ cluster }: SmallStack, asked: string): Promise<Readonly<Record<string, string>>> {
  const list = mustSucceed("members", await cluster.onNode(asked, etcdctl("member list --write-out=simple"))).stdout;
  const rows = list.trim().split("\n");
  return Object.fromEntries(
    rows.map((row) => {
      const [id = "", status, name = "", , , learner] = row.split(", ");
      assert.deepEqual([status, learner], ["started", "false"], row);
      return [name, id];
    }),
  );
}

export async function isRolled(stack: SmallStack, nodes: readonly string[], mark: string): Promise<void> {
  for (const name of nodes)
    assert.equal(mustSucceed("cat", await stack.cluster.onNode(name, "cat /etc/image-mark")).stdout, `${mark}\n`);
}

/** Rolls nodes, members of etcd among them, while clients read and write. */
export async function rollMeanwhile(
  stack: SmallStack,
  t: TestContext,
  {
    nodes,
    members,
    mark,
  }: { readonly nodes: readonly string[]; readonly members: readonly string[]; readonly mark: string },
): Promise<void> {
  const asked = members.at(-1) ?? assert.fail("no members");
  const before = await Promise.all(nodes.map((name) => seen(stack, name)));
  const membersBefore = await membersOf(stack, asked);
  const image = await planImage(stack, mark, { "etc/image-mark": `${mark}\n` }, nodes[0]);
  const kubeconfig = mustSucceed("kubeconfig", await stack.cluster.groundplane("kubeconfig")).stdout;
  await createNamespace(apiClient(kubeconfig));
  const [client, writer] = [await askMeanwhile(stack, PROBE_MS), writeRepeatedly(kubeconfig)];
  await writer.begun;
  const started = performance.now();
  await up(stack).catch(async (error) => {
    await writer.stop().catch(() => undefined);
    throw error;
  });
  t.diagnostic(`${nodes.length} nodes: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  const [answered, written] = [await client.stop(), await writer.stop()];
  tellGap(t, `requests every ${PROBE_MS} ms`, answered);
  tellGap(t, "writes every 100 ms", written);
  assert.deepEqual(written.lost, [], "every acknowledged write is there");
  assert.ok(answered.longestGapMs <= LONGEST_GAP_MS, `no response for ${answered.longestGapMs} ms`);
  for (const [index, name] of nodes.entries())
    assert.deepEqual(await seen(stack, name), { ...before[index], image, formerImage: undefined }, name);
  await isRolled(stack, nodes, mark);
  const now = await membersOf(stack, asked);
  assert.deepEqual(Object.keys(now).sort(), [...members].sort());
  for (const name of members) assert.notEqual(now[name], membersBefore[name], `${name} got its data from the others`);
  assert.equal(await healthyEtcdMembers(stack, asked), members.length);
  await stack.isHealthy();
  await stack.previewsNoChange();
}
