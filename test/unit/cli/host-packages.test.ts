import assert from "node:assert/strict";
import { test } from "node:test";
import { neededPackages } from "../../../host/host-packages";
import type { DriverName } from "../../../model/drivers";

const names = (driver: DriverName, imagesHere: boolean): readonly string[] =>
  neededPackages({ driver, imagesHere, isRoot: true }).map(({ name }) => name);

test("virtual machines need no container programs, and build programs only while images are missing", () => {
  assert.ok(names("nspawn", true).includes("systemd-container"));
  assert.ok(!names("virtualbox", false).includes("systemd-container"));
  assert.ok(names("virtualbox", false).includes("mmdebstrap"));
  assert.deepEqual(names("virtualbox", true), ["openssh-client", "ca-certificates"]);
});

test("users other than root need the package uidmap while images are missing", () => {
  const needed = (isRoot: boolean, imagesHere = false) =>
    neededPackages({ driver: "qemu", imagesHere, isRoot }).some(({ name }) => name === "uidmap");
  assert.deepEqual([needed(false), needed(true), needed(false, true)], [true, false, false]);
});
