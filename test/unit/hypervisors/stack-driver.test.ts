import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { stackFolder } from "../../../host/data-folder";
import { localHost } from "../../../host/local-host";
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

test("a stack's driver is recorded while the stack has a segment", async () => {
  assert.equal(await rememberedDriver(localHost, "lab"), undefined);
  assert.deepEqual(await stacksOnDrivers(localHost), []);
  await Promise.all(["dmz", "masters"].map((segment) => rememberDriver(localHost, "lab", segment, "nspawn")));
  await rememberDriver(localHost, "lab", "dmz", "nspawn");
  await rememberDriver(localHost, "small", "dmz", "fake");
  assert.equal(await rememberedDriver(localHost, "lab"), "nspawn");
  assert.deepEqual(await stacksOnDrivers(localHost), [
    { stack: "lab", driver: "nspawn" },
    { stack: "small", driver: "fake" },
  ]);
  await forgetDriver(localHost, "lab", "dmz");
  assert.equal(await rememberedDriver(localHost, "lab"), "nspawn");
  await forgetDriver(localHost, "lab", "masters");
  await forgetDriver(localHost, "lab", "masters");
  assert.equal(await rememberedDriver(localHost, "lab"), undefined);
  assert.ok(!existsSync(stackFolder("lab")), "nothing is left");
});

test("other files in the stack's folder are kept", async () => {
  await rememberDriver(localHost, "old", "dmz", "nspawn");
  const kubeconfig = join(stackFolder("old"), "kubeconfig");
  writeFileSync(kubeconfig, "");
  await forgetDriver(localHost, "old", "dmz");
  assert.ok(existsSync(kubeconfig));
  assert.equal(await rememberedDriver(localHost, "old"), undefined);
});

test("an incomplete record is ignored", async () => {
  await rememberDriver(localHost, "half", "dmz", "nspawn");
  writeFileSync(join(stackFolder("half"), "driver", "dmz"), "");
  assert.equal(await rememberedDriver(localHost, "half"), undefined);
});
