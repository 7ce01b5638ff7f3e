import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { stackFolder } from "../../../host/data-folder";
import {
  forgetDriver,
  rememberDriver,
  rememberedDriver,
  stacksOnDrivers,
} from "../../../hypervisors/choice/stack-driver";

let folder = "";
before(() => {
  folder = mkdtempSync(join(tmpdir(), "groundplane-test-"));
  process.env.GROUNDPLANE_DATA = folder;
});
after(() => {
  delete process.env.GROUNDPLANE_DATA;
  rmSync(folder, { recursive: true, force: true });
});

test("a stack's driver is known from its first segment to its last", async () => {
  assert.equal(await rememberedDriver("lab"), undefined);
  assert.deepEqual(await stacksOnDrivers(), []);
  await Promise.all(["dmz", "masters"].map((segment) => rememberDriver("lab", segment, "nspawn")));
  await rememberDriver("lab", "dmz", "nspawn");
  await rememberDriver("small", "dmz", "fake");
  assert.equal(await rememberedDriver("lab"), "nspawn");
  assert.deepEqual(await stacksOnDrivers(), [
    { stack: "lab", driver: "nspawn" },
    { stack: "small", driver: "fake" },
  ]);
  await forgetDriver("lab", "dmz");
  assert.equal(await rememberedDriver("lab"), "nspawn");
  await forgetDriver("lab", "masters");
  await forgetDriver("lab", "masters");
  assert.equal(await rememberedDriver("lab"), undefined);
  assert.ok(!existsSync(stackFolder("lab")), "nothing is left");
});

test("what else is in the stack's folder stays", async () => {
  await rememberDriver("old", "dmz", "nspawn");
  const kubeconfig = join(stackFolder("old"), "kubeconfig");
  writeFileSync(kubeconfig, "");
  await forgetDriver("old", "dmz");
  assert.ok(existsSync(kubeconfig));
  assert.equal(await rememberedDriver("old"), undefined);
});

test("a note that was only half written is none", async () => {
  await rememberDriver("half", "dmz", "nspawn");
  writeFileSync(join(stackFolder("half"), "driver", "dmz"), "");
  assert.equal(await rememberedDriver("half"), undefined);
});
