import assert from "node:assert/strict";
import { test } from "node:test";
import { recordGraph } from "../../support/recorded-graph";

/** Runs the program as Pulumi does, with this text under `groundplane:dataCenter`. */
async function runProgram(stack: string, settings: Record<string, string>) {
  const program: { outputs?: Record<string, unknown> } = {};
  const graph = await recordGraph(
    async () => {
      const { runtime } = await import("@pulumi/pulumi");
      runtime.setAllConfig(settings);
      delete require.cache[require.resolve("../../../stacks/program")];
      program.outputs = await require("../../../stacks/program")();
    },
    { stack },
  );
  return { graph, outputs: program.outputs ?? {} };
}

test("the program builds one data centre and outputs its addresses", async () => {
  const small = { driver: "nspawn", pools: { balancers: { count: 1 }, masters: { count: 1 }, workers: { count: 1 } } };
  const { graph, outputs } = await runProgram("tiny", { "groundplane:dataCenter": JSON.stringify(small) });
  assert.deepEqual(
    graph.filter(({ type }) => type === "groundplane:components:DataCenter").map(({ name }) => name),
    ["tiny"],
  );
  assert.deepEqual(Object.keys(outputs).sort(), [
    ...["apiEndpoint", "clusterEndpoint", "gatewaySsh", "inventory", "knownHosts", "kubeconfig", "sshPrivateKey"],
  ]);
  assert.match(String(outputs.apiEndpoint), /^https:\/\/127\.0\.0\.1:\d+$/);
  const { isSecret } = await import("@pulumi/pulumi");
  for (const name of ["kubeconfig", "sshPrivateKey"]) assert.ok(await isSecret(outputs[name] as never), name);
  assert.ok(!(await isSecret(outputs.knownHosts as never)));
});

test("a wrong configuration gives one readable error with every problem, and nothing is built", async () => {
  const wrong = { pools: { masters: { count: 2 }, wrokers: { count: 1 } } };
  const failure = await runProgram("tiny", { "groundplane:dataCenter": JSON.stringify(wrong) }).then(
    () => assert.fail("the program must refuse"),
    (error: Error) => error,
  );
  const { RunError } = await import("@pulumi/pulumi");
  assert.ok(RunError.isInstance(failure));
  assert.match(failure.message, /2 problems/);
  assert.match(failure.message, /pools\.masters\.count: 2/);
  assert.match(failure.message, /pools\.wrokers/);
});

test("a misspelt key is refused instead of a fallback to the defaults", async () => {
  await assert.rejects(runProgram("tiny", { "groundplane:datacenter": "{}" }), /did you mean `groundplane:dataCenter`/);
});

test("text that is not a mapping is refused", async () => {
  await assert.rejects(runProgram("tiny", { "groundplane:dataCenter": "large, please" }), /1 problem in/);
});
