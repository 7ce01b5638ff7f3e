import assert from "node:assert/strict";
import { test } from "node:test";
import { encode, type Properties } from "../../../../provider/rpc/property-values";
import type { ResourceHandler } from "../../../../provider/rpc/resource-handler";
import { decodeStored, oldState } from "../../../../provider/rpc/stored-state";

const handler = { migrations: [{ key: "token", list: "members", weight: null }] } as unknown as ResourceHandler;
const stored = (properties: Properties, secretPaths: string[] = []) => encode(properties, secretPaths);

test("stored properties get their present names and stay secret, and obsolete properties are dropped", () => {
  const { properties, secretPaths } = decodeStored(
    handler,
    stored({ key: [{ text: "a" }], keys: "b", list: ["one"], weight: 1 }, ["key[0].text", "keys", "weight"]),
  );
  assert.deepEqual(properties, { token: [{ text: "a" }], keys: "b", members: ["one"] });
  assert.deepEqual([...secretPaths], ["token[0].text", "keys"]);
});

test("stored inputs and outputs get their present names, and do not change without former names", () => {
  const old = oldState(handler, stored({ key: "a" }), stored({ key: "a", list: [] }));
  assert.deepEqual(old, { inputs: { token: "a" }, outputs: { token: "a", members: [] } });
  const plain = oldState({} as ResourceHandler, stored({ key: "a" }), undefined);
  assert.deepEqual(plain, { inputs: { key: "a" }, outputs: {} });
});
