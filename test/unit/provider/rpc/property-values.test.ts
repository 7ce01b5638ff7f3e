import assert from "node:assert/strict";
import { test } from "node:test";
import { differences } from "../../../../provider/rpc/property-diff";
import { decode, encode, type Properties, topLevelKey, UNKNOWN } from "../../../../provider/rpc/property-values";

const properties: Properties = {
  name: "one",
  count: 0,
  none: null,
  pending: UNKNOWN,
  list: [{ key: "k" }, UNKNOWN],
  "odd name": { 'quo"ted': ["deep"] },
};

test("values survive encoding, and unknown values become the symbol", () => {
  assert.deepEqual(decode(encode(properties)).properties, properties);
  assert.equal(decode(encode(properties)).secretPaths.size, 0);
});

test("secrets are returned as paths at any depth, with plain values", () => {
  const paths = ["name", "list[0].key", '["odd name"]["quo\\"ted"]', "pending"];
  const decoded = decode(encode(properties, [...paths, "absent"]));
  assert.deepEqual(decoded.properties, properties);
  assert.deepEqual([...decoded.secretPaths].sort(), [...paths].sort());
});

test("undefined properties are left out", () => {
  const decoded = decode(encode({ a: undefined as never, b: { c: undefined as never } }));
  assert.deepEqual(decoded.properties, { b: {} });
});

test("a path gives its top-level key", () => {
  const keys = { "seed.userData": "seed", "nics[0].mac": "nics", '["odd name"].a': "odd name", plain: "plain" };
  for (const [path, key] of Object.entries(keys)) assert.equal(topLevelKey(path), key);
});

test("differences name added, deleted and changed properties", () => {
  const before = { same: 1, gone: 1, list: [1, 2, 3], nested: { a: 1 }, kind: [1] };
  const after: Properties = { same: 1, added: 1, list: [1, 5], nested: { a: UNKNOWN }, kind: { "0": 1 } };
  assert.deepEqual(Object.fromEntries(differences(before, after)), {
    gone: "delete",
    added: "add",
    "list[1]": "update",
    "list[2]": "delete",
    "nested.a": "update",
    kind: "update",
  });
  assert.equal(differences(before, structuredClone(before)).size, 0);
  assert.equal(differences({ a: UNKNOWN }, { a: UNKNOWN }).size, 0);
});
