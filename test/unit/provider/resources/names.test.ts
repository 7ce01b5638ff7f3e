import assert from "node:assert/strict";
import { test } from "node:test";
import { parseObjectId } from "../../../../provider/resources/object-id";
import { resourceHandler } from "../../../../provider/resources/typed-resource";
import type { Context } from "../../../../provider/rpc/resource-handler";

interface Inputs {
  readonly stack: string;
}

const calls: string[] = [];
const handler = resourceHandler<Inputs, Inputs>({
  schema: { description: "", inputs: { stack: { type: "string" } } },
  replaceOn: [],
  refreshBeforeUpdate: false,
  create: async (inputs) => {
    calls.push("create");
    return { id: "x", outputs: inputs };
  },
  update: async (_id, inputs) => {
    calls.push("update");
    return inputs;
  },
  delete: async () => {
    calls.push("delete");
  },
});
const context = { urn: "urn:x" } as unknown as Context;

test("no call with a stack that leads out of the data folder reaches a resource", async () => {
  for (const stack of ["..", "../..", "a/b", "/etc", "a\0", ""]) {
    const inputs = { stack };
    const { failures = [] } = await handler.check(inputs, context, inputs);
    assert.deepEqual(
      failures.map(({ property }) => property),
      ["stack"],
      stack,
    );
    await assert.rejects(handler.create(inputs, false, context), { id: "bad-name" });
    const changed = handler.update?.("x", inputs, { inputs, outputs: inputs }, false, context);
    await assert.rejects(changed ?? Promise.resolve(), { id: "bad-name" });
    await assert.rejects(handler.delete("x", { inputs, outputs: inputs }, context), { id: "bad-name" });
  }
  assert.deepEqual(calls, []);
});

test("ids are no paths", () => {
  assert.deepEqual(parseObjectId("nspawn/lab/master-1"), { driver: "nspawn", stack: "lab", name: "master-1" });
  for (const id of ["nspawn/../x", "nspawn/lab/..", "nspawn/lab", "nspawn/lab/a/b", "nspawn/lab/a\nb"])
    assert.throws(() => parseObjectId(id), { id: "bad-id" }, id);
});
