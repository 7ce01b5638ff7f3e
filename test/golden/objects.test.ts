import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { stringify } from "yaml";
import { allClusterObjects } from "../../cloud-init/files/kubernetes/cluster-objects";
import { byName } from "../../model/cluster-object";
import { examplePlan, exampleStacks } from "../support/example-plans";

/** The data centre's own objects in the cluster of every example stack. */
for (const stack of exampleStacks) {
  test(`the cluster objects of ${stack} match the recording`, () => {
    const objects = byName(allClusterObjects(examplePlan(stack), "(certificate)\n"));
    const names = Object.keys(objects).sort();
    const text = names.map((name) => `# ${name}\n${stringify(objects[name], { lineWidth: 0 })}`).join("---\n");
    const file = path.join(__dirname, "objects", `${stack}.yaml`);
    if (process.env.RECORD) {
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, text);
      assert.fail(`recorded ${file}: look at the difference, then run without RECORD`);
    }
    assert.equal(text, readFileSync(file, "utf8"));
  });
}
