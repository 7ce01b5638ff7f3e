import assert from "node:assert/strict";
import { test } from "node:test";
import { neededPackages } from "../../../cli/start/host-packages";

const names = (driver: string, imagesHere: boolean): readonly string[] =>
  neededPackages({ driver, imagesHere }).map(({ name }) => name);

test("virtual machines need no programs of containers, and those that build images only to build them", () => {
  assert.ok(names("nspawn", true).includes("systemd-container"));
  assert.ok(!names("virtualbox", false).includes("systemd-container"));
  assert.ok(names("virtualbox", false).includes("mmdebstrap"));
  assert.deepEqual(names("virtualbox", true), ["openssh-client", "ca-certificates"]);
});
