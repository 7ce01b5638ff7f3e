import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { mergeContents } from "../../cloud-init/role-content";
import { backupContent } from "../../cloud-init/roles/backups";
import { type DataCenterPlan, nodesOf } from "../../stacks/plan/data-center-plan";
import { planDataCenter } from "../../stacks/plan/plan-data-center";
import { exampleStacks } from "../support/example-plans";
import { exampleConfiguration } from "../support/example-stacks";

/** What the key `backups` adds to the masters of every example. `RECORD=1` records it, and fails. */
const recording = process.env.RECORD === "1";
const folder = path.join(__dirname, "backups");
if (recording) rmSync(folder, { recursive: true, force: true });

const planOf = (stack: string): DataCenterPlan =>
  planDataCenter({ ...exampleConfiguration(stack), backups: { every: "6h", keep: 28 } });

function render(plan: DataCenterPlan): string {
  return nodesOf(plan, "master")
    .map((node) => {
      const { files, environment, enable } = mergeContents([backupContent(plan, node)]);
      const units = files.flatMap((file) =>
        "content" in file && file.path.startsWith("/etc/systemd") ? [`--- ${file.path}\n${file.content}`] : [],
      );
      const settings = Object.entries(environment).map(([name, value]) => `${name}=${value}\n`);
      return [`=== ${node.name}\n`, ...settings, `wanted: ${enable.join(" ")}\n`, ...units].join("");
    })
    .join("\n");
}

for (const stack of exampleStacks)
  test(`what takes backups of ${stack} matches the recording`, () => {
    const golden = path.join(folder, stack);
    const text = render(planOf(stack));
    if (recording) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(golden, text);
    }
    assert.equal(text, readFileSync(golden, "utf8"));
  });

test("RECORD is not set", () => {
  assert.ok(!recording, "recorded: read the difference, then run again without RECORD");
});
