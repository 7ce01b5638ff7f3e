// As on Windows, where Pulumi cannot start a shell script, so its Node.js host runs the provider.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type ProviderProject, providerProject } from "../support/provider-project";
import { Segment } from "../support/provider-resources";

let project: ProviderProject;
before(async () => {
  project = await providerProject({ withoutScript: true });
});
after(() => project?.remove());

test("Pulumi starts the provider through PulumiPlugin.yaml, and the provider works", async () => {
  const stack = await project.program(async () => {
    new Segment("dmz");
    return {};
  });
  const up = await stack.up();
  assert.equal(up.summary.resourceChanges?.create, 2);
  await stack.up({ expectNoChanges: true });
  const destroyed = await stack.destroy();
  assert.equal(destroyed.summary.resourceChanges?.delete, 2);
});
