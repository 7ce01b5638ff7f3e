import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { automaticDrivers, driverNames, drivers } from "../../../model/drivers";

const project = resolve(__dirname, "..", "..", "..");
const rooms = [
  ...["model", "host", "stacks", "cloud-init", "components", "hypervisors", "guests", "provider", "image"],
  ...["verify", "explain", "review", "cli", "toolchain"],
];
/** The table, and each driver's own folder. */
const mayName = /^(?:model\/drivers\.ts|hypervisors\/(?:nspawn|fake|virtualbox|qemu)\/.*)$/;

test("code checks a driver's feature, not its name", () => {
  // A path in the configuration is a key of the file, not a driver.
  const name = new RegExp(`(?<!(?:ConfigurationPath = |ParsedShape)\\[)"(?:${driverNames.join("|")})"`);
  const files = rooms.flatMap((room) =>
    readdirSync(join(project, room), { recursive: true, encoding: "utf8" }).map((file) => `${room}/${file}`),
  );
  const sources = files.map((file) => file.replaceAll("\\", "/")).filter((file) => file.endsWith(".ts"));
  assert.ok(sources.length > 300);
  const found = sources
    .filter((file) => !mayName.test(file))
    .filter((file) => name.test(readFileSync(join(project, file), "utf8")));
  assert.deepEqual(found, [], "ask for a feature of model/drivers.ts instead");
});

test("the features of each driver are consistent", () => {
  for (const name of driverNames) {
    const { imageForm, sharesKernel, emulates, ...row } = drivers[name];
    assert.equal(sharesKernel, imageForm === "tree", `${name}: a machine with a kernel of its own boots a disk`);
    assert.ok(!emulates || "virtualisation" in row, `${name}: emulation takes the place of virtualisation`);
  }
  assert.ok(automaticDrivers.every((name) => !drivers[name].simulated));
});
