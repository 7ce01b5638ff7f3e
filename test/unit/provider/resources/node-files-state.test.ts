// The size of the state grows with the files of all nodes, and Pulumi writes the whole state after each step.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Guest } from "../../../../guests/guest";
import { UnreachableError } from "../../../../guests/guest-ssh";
import type { NodeFilesInputs } from "../../../../model/resource-types";
import { nodeFilesResource } from "../../../../provider/resources/node-files";
import { type Context, PartialFailure } from "../../../../provider/rpc/resource-handler";

const inputs = {
  ...{ node: "worker-1", connection: {}, generation: "g" },
  files: [{ path: "/etc/hosts", mode: "0644", content: "text", reload: "" }],
} as unknown as NodeFilesInputs;
const context: Context = {
  ...{ urn: "", name: "", type: "", timeoutSeconds: 5 },
  signal: new AbortController().signal,
  log: () => undefined,
};
const once = { node: "worker-1", generation: "g" };
const guest = { readFiles: async () => [{ mode: "0644", content: "other" }] } as unknown as Guest;

test("the state has the files of a node once, as inputs", async () => {
  const files = nodeFilesResource(async () => guest);
  assert.deepEqual((await files.create(inputs, true, context)).outputs, once);
  assert.deepEqual(await files.update("", inputs, { inputs, outputs: once }, true, context), once);
  const seen = await files.read?.("", { inputs, outputs: once }, context);
  assert.deepEqual(seen?.outputs, once);
  assert.equal(seen?.inputs.files[0]?.content, "other", "what the node has");
});

test("a node that cannot be reached keeps its known files as inputs", async () => {
  const files = nodeFilesResource(async () => {
    throw new UnreachableError("it does not respond");
  });
  await assert.rejects(
    async () => files.read?.("", { inputs, outputs: once }, context),
    (error) => {
      assert.ok(error instanceof PartialFailure);
      assert.deepEqual([error.state.inputs, error.state.outputs], [inputs, once]);
      return true;
    },
  );
});
