import assert from "node:assert/strict";
import { test } from "node:test";
import { nearestWord } from "../../../../stacks/config/nearest-word";

const known = ["masters", "workers", "storage", "cidr"];

test("a typing error finds the word that was meant", () => {
  assert.equal(nearestWord("mastres", known), "masters");
  assert.equal(nearestWord("Worker", known), "workers");
  assert.equal(nearestWord("cird", known), undefined);
  assert.equal(nearestWord("cidrs", known), "cidr");
});

test("a word that is close to nothing suggests nothing", () => {
  assert.equal(nearestWord("etcd", known), undefined);
  assert.equal(nearestWord("", known), undefined);
});
