import assert from "node:assert/strict";
import { test } from "node:test";
import { mergeContents, noContent } from "../../../cloud-init/role-content";

test("content that several roles of a node share is written once, and contradictions are refused", () => {
  const file = (content: string) => ({ path: "/etc/x", mode: "0644", content });
  const one = { files: [file("a")], environment: { A: "1" }, commands: [["true"]], enable: ["a.service"] };
  const other = { ...one, environment: { A: "1", B: "2" }, enable: ["b.service", "a.service"] };
  assert.deepEqual(mergeContents([one, noContent, other]), {
    files: [file("a")],
    environment: { A: "1", B: "2" },
    withSettings: [],
    commands: [["true"]],
    enable: ["a.service", "b.service"],
  });
  assert.throws(() => mergeContents([one, { ...one, environment: { A: "2" } }]), /two roles of a node set A/);
});
