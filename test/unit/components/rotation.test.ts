import assert from "node:assert/strict";
import { test } from "node:test";
import { planDataCenter } from "../../../stacks/plan/plan-data-center";
import { examplePlan } from "../../support/example-plans";
import { exampleConfiguration } from "../../support/example-stacks";
import { recordDataCenter, resourceOf, sampleSecret } from "../../support/recorded-graph";

const filesType = "groundplane:index:NodeFiles";
const lab = examplePlan("lab");

test("masters accept a rotated administrator's certificate before anything uses it, and then end the former one", async () => {
  const rotated = planDataCenter({ ...exampleConfiguration("lab"), secrets: { rotate: { administrator: 1 } } });
  const graph = await recordDataCenter(rotated);
  const before = (type: string, name: string, pattern: RegExp) =>
    resourceOf(graph, `groundplane:index:${type}`, name).dependencies.filter((other) => pattern.test(other));
  const tasks = /-administrator$/;
  assert.deepEqual(before("NodeTask", "master-1-administrator", tasks), []);
  assert.deepEqual(before("NodeTask", "master-3-administrator", tasks), ["master-2-administrator"]);
  const trusted = ["master-1-administrator", "master-2-administrator", "master-3-administrator"];
  assert.deepEqual(before("ClusterObjects", "cluster-objects", tasks), trusted);
  assert.deepEqual(before("NodeFiles", "master-1-files", tasks), ["master-3-administrator"]);
  const { command } = resourceOf(graph, "groundplane:index:NodeTask", "master-1-administrator").inputs;
  assert.equal(Buffer.from((command as readonly string[])[1] ?? "", "base64").toString(), sampleSecret("admin.crt"));
  assert.deepEqual(resourceOf(graph, "groundplane:index:ClusterSecrets", "secrets-cluster").inputs.rotations, {
    administrator: 1,
  });
  assert.ok(!(await recordDataCenter(lab)).some(({ name }) => tasks.test(name)), "without a rotation there is none");
});

test("a running node follows the keys that may log in and the clients that its API server accepts", async () => {
  const graph = await recordDataCenter(lab);
  const filesOf = (node: string) => {
    const { files } = resourceOf(graph, filesType, `${node}-files`).inputs;
    return new Map((files as { path: string; content: string }[]).map(({ path, content }) => [path, content]));
  };
  for (const { name } of lab.nodes)
    assert.equal(filesOf(name).get("/root/.ssh/authorized_keys"), `${sampleSecret("ssh-user-key.pub")} groundplane\n`);
  const clients = filesOf("master-2").get("/etc/kubernetes/api-server/clients.crt");
  assert.equal(clients, sampleSecret("kubernetes-ca.crt") + sampleSecret("admin.crt"));
});
