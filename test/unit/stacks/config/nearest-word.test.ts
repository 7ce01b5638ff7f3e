import assert from "node:assert/strict";
import { test } from "node:test";
import { nearestWord } from "../../../../stacks/config/nearest-word";

const known = ["masters", "workers", "storage", "cidr"];

test("a mistyped word finds the intended word", () => {
  assert.equal(nearestWord("mastres", known), "masters");
  assert.equal(nearestWord("Worker", known), "workers");
  assert.equal(nearestWord("cird", known), undefined);
  assert.equal(nearestWord("cidrs", known), "cidr");
});

test("an unrelated word gives no suggestion", () => {
  assert.equal(nearestWord("etcd", known), undefined);
  assert.equal(nearestWord("", known), undefined);
});
