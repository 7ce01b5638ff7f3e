// The smoke test on system containers: the infrastructure image boots, and nothing remains.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { stackFolder } from "../../host/data-folder";
import { localHost } from "../../host/local-host";
import { driverByName } from "../../hypervisors/driver-by-name";
import { smokeTest } from "../../hypervisors/smoke/smoke-test";
import { imageFor } from "../../image/recipes/image-names";
import { defaultKubernetesVersion } from "../../model/releases";

test("doctor --smoke boots a system container", { timeout: 15 * 60_000 }, async (t) => {
  const driver = driverByName("nspawn", localHost);
  const problems = await driver.problems();
  // A user other than root has further problems. The skip for this one is allowed.
  const decisive = problems.filter(({ id }) => id === "not-root");
  const reasons = (decisive.length > 0 ? decisive : problems).map(({ problem }) => problem);
  if (reasons.length > 0) return t.skip(reasons.join("; "));
  const name = imageFor("infrastructure", defaultKubernetesVersion, "tree");
  if (!(await driver.inspectImage({ name }))) return t.skip(`no image ${name} here: \`npm start\` makes it`);
  const told: string[] = [];
  const steps = await smokeTest(driver, localHost, {
    tell: ({ step, state }) => told.push(`${step} ${state}`),
    signal: new AbortController().signal,
  });
  assert.deepEqual(told, ["image ok", "create ok", "start ok", "boot ok", "way in ok", "stop ok", "remove ok"]);
  assert.deepEqual(
    steps.map(({ step, state }) => `${step} ${state}`),
    told,
  );
  assert.deepEqual(await driver.listMachines("groundplane-smoke"), []);
  assert.ok(!existsSync(stackFolder("groundplane-smoke")));
});

test("without an image, the smoke test names the next step and cleans up", async () => {
  const driver = driverByName("nspawn", localHost);
  const missing = { ...driver, ensureImage: () => Promise.reject(new Error("no image")) };
  const steps = await smokeTest(missing, localHost, { tell: () => {}, signal: new AbortController().signal });
  assert.deepEqual(
    steps.map(({ step, state }) => `${step} ${state}`),
    ["image failed", "remove ok"],
  );
});
