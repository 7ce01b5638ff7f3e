import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../../../provider/host/user-error";
import { chooseDriver } from "../../../stacks/choose-driver";

const linux = { platform: "linux", override: undefined };

test("auto takes system containers on Linux", () => {
  assert.equal(chooseDriver("auto", linux).driver, "nspawn");
});

test("the configuration's word counts, the environment's more", () => {
  assert.equal(chooseDriver("fake", linux).driver, "fake");
  assert.equal(chooseDriver("nspawn", { ...linux, override: "fake" }).driver, "fake");
});

test("drivers of versions to come are told from mistakes", () => {
  const idOf = (name: "virtualbox" | "fake") => {
    try {
      return chooseDriver(name, { ...linux, override: name === "fake" ? "nspwan" : undefined }).driver;
    } catch (error) {
      return (error as UserError).id;
    }
  };
  assert.equal(idOf("virtualbox"), "driver-not-yet");
  assert.equal(idOf("fake"), "unknown-driver");
});

test("a driver that is not there is refused before anything is made", () => {
  for (const choose of [
    () => chooseDriver("virtualbox", linux),
    () => chooseDriver("auto", { ...linux, override: "nspwan" }),
    () => chooseDriver("auto", { ...linux, platform: "darwin" }),
  ]) {
    assert.throws(choose, UserError);
  }
});
