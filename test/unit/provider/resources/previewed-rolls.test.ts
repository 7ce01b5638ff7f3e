import assert from "node:assert/strict";
import { test } from "node:test";
import type { NodeImageInputs } from "../../../../model/node-image-types";
import { PreviewedRolls } from "../../../../provider/resources/previewed-rolls";

const row = (name: string, median: number) => ({ name, median, p95: median, commit: "0123456789" });
const bench = [row("roll-master", 58.7), row("roll-storage", 20.2)];
const of = (node: string, roles: readonly string[], stack = "lab") =>
  ({ stack, node, roles }) as unknown as NodeImageInputs;

test("each node of a roll has its time, and that of all nodes so far", () => {
  const previewed = new PreviewedRolls(bench);
  const describe = (node: string, ...roles: readonly string[]) => previewed.describe(of(node, roles), false);
  assert.equal(describe("storage-1", "storage"), "Its exchange: about 20 s (roll-storage at 0123456)");
  assert.equal(
    describe("master-1", "master", "etcd"),
    "Its exchange: about 59 s (roll-master at 0123456); with the 1 before it: about 79 s",
  );
  assert.equal(
    describe("worker-1", "worker"),
    "Its exchange: not measured; with the 2 before it: about 79 s, without 1 of 3 nodes, which is not measured",
  );
  assert.match(previewed.describe(of("storage-1", ["storage"], "pair"), false), /0123456\)$/, "another stack");
});

test("figures of an upgrade say that they are not of one", () => {
  assert.equal(
    new PreviewedRolls(bench).describe(of("master-1", ["master", "etcd"]), true),
    "Its exchange, measured within a release: about 59 s (roll-master at 0123456)",
  );
});
