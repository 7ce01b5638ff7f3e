import assert from "node:assert/strict";
import { test } from "node:test";
import { examplePlan } from "../../support/example-plans";
import { recordDataCenter, resourceOf } from "../../support/recorded-graph";

const imageOf = async (example: string, node: string) =>
  resourceOf(await recordDataCenter(examplePlan(example)), "groundplane:index:NodeImage", `${node}-image`).inputs;

const namesIn = (list: unknown): string =>
  (list as readonly { readonly name: string }[]).map(({ name }) => name).join(" ");

test("the gateway waits for all that vote without it, and for one machine of each kind behind it", async () => {
  const { peers, alone, keeps, masters } = await imageOf("production", "gateway");
  assert.equal(namesIn(peers), "balancer-1 balancer-2 master-1 etcd-1 worker-1 storage-1");
  assert.deepEqual([alone, keeps, masters], [["gateway"], undefined, []]);
  assert.equal(namesIn((await imageOf("pair", "gateway")).peers), "master-1 master-2");
});

test("a node names its roles that no other node has", async () => {
  assert.deepEqual((await imageOf("small", "balancer-1")).alone, ["balancer"]);
  assert.equal((await imageOf("lab", "balancer-1")).alone, undefined);
  const small = await recordDataCenter(examplePlan("small"), { driver: "fake" });
  const master = resourceOf(small, "groundplane:index:NodeImage", "master-1-image").inputs;
  assert.deepEqual([master.alone, master.keeps, namesIn(master.masters)], [["etcd", "master"], undefined, "master-1"]);
  const { keeps, alone } = await imageOf("single", "gateway");
  assert.match(String(keeps), /^etcd would have no majority without it/);
  assert.equal(alone, undefined);
});
