import assert from "node:assert/strict";
import { test } from "node:test";
import { resourceHandler, type TypedResource } from "../../../../provider/resources/typed-resource";
import type { Properties } from "../../../../provider/rpc/property-values";
import type { Context } from "../../../../provider/rpc/resource-handler";

interface Inputs {
  readonly stack: string;
  readonly driver: string;
}

const resource: TypedResource<Inputs, Inputs> = {
  schema: { description: "", inputs: { stack: { type: "string" }, driver: { type: "string" } } },
  replaceOn: [],
  refreshBeforeUpdate: false,
  create: async (inputs) => ({ id: "one", outputs: inputs }),
  update: async (_id, inputs) => inputs,
  delete: async () => undefined,
};

const check = async (news: Inputs, olds: Inputs | undefined) => {
  const properties = (value: Inputs) => ({ ...value }) as Properties;
  const context = { urn: "urn:pulumi:lab::p::t::one" } as Context;
  const { failures = [] } = await resourceHandler(resource).check(properties(news), context, olds && properties(olds));
  return failures.map(({ reason }) => reason);
};

test("no resource follows a stack into another name, or to another driver", async () => {
  const lab = { stack: "lab", driver: "nspawn" };
  assert.deepEqual(await check(lab, lab), []);
  assert.deepEqual(await check(lab, undefined), []);
  const [renamed, ...others] = await check({ ...lab, stack: "other" }, lab);
  assert.match(String(renamed), /lab was renamed to other, .*: `pulumi stack rename lab --stack other`$/);
  assert.deepEqual(others, []);
  assert.match(
    String(await check({ ...lab, driver: "qemu" }, lab)),
    /lab exists on nspawn and cannot become one on qemu/,
  );
});
