import { roleNames } from "../../model/roles";
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { load } from "js-yaml";
import { renderSeeds } from "../../cloud-init/render-node-seed";
import { defaultKubernetesVersion } from "../../model/releases";
import type { NodeSeed } from "../../model/seed";
import { examplePlan, exampleStacks } from "../support/example-plans";

/**
 * `RECORD=1 node --import tsx --test test/golden/seeds.test.ts` records the rendered files. The run fails, so that the
 * variable is not left set.
 */
const recording = process.env.RECORD === "1";

const stackFolder = (stack: string): string => path.join(__dirname, stack);

const textsOf = (seed: NodeSeed): Readonly<Record<string, string>> => ({
  "user-data": seed.userData,
  "meta-data": seed.metaData,
  "network-config": seed.networkConfig,
});

for (const stack of exampleStacks) {
  const plan = examplePlan(stack);
  if (recording) rmSync(stackFolder(stack), { recursive: true, force: true });

  for (const seed of renderSeeds(plan)) {
    for (const [name, text] of Object.entries(textsOf(seed))) {
      const golden = path.join(stackFolder(stack), seed.node, name);
      test(`${stack}/${seed.node}/${name} matches the recording`, () => {
        assert.equal(typeof load(text), "object", "must be YAML before it can be right");
        if (recording) {
          mkdirSync(path.dirname(golden), { recursive: true });
          writeFileSync(golden, text);
        }
        assert.ok(existsSync(golden), `${golden} is missing: RECORD=1 writes it, read it before you commit it`);
        assert.equal(text, readFileSync(golden, "utf8"));
      });
    }
  }

  test(`${stack} has goldens of exactly its planned nodes`, { skip: recording && "recording" }, () => {
    assert.deepEqual(readdirSync(stackFolder(stack)).sort(), plan.nodes.map(({ name }) => name).sort());
  });
}

test("every role has a golden", () => {
  const roles = new Set(exampleStacks.flatMap((stack) => examplePlan(stack).nodes.flatMap(({ roles }) => roles)));
  assert.deepEqual([...roles].sort(), [...roleNames].sort());
});

test("the default version of Kubernetes has a golden", () => {
  const versions = exampleStacks.map((stack) => examplePlan(stack).kubernetes.version);
  assert.ok(versions.includes(defaultKubernetesVersion));
});

test("RECORD is not set", () => {
  assert.ok(!recording, "recorded: read the difference, then run again without RECORD");
});
