import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseDriver, type DriverSurroundings, slowdownOf } from "../../../hypervisors/choice/choose-driver";
import type { HypervisorHere } from "../../../hypervisors/choice/detect-hypervisors";
import type { StackOnDriver } from "../../../hypervisors/choice/stack-driver";
import { UserError } from "../../../model/user-error";

const yes = async (): Promise<HypervisorHere> => ({ usable: true, reason: "it is there" });
const no = async (): Promise<HypervisorHere> => ({ usable: false, reason: "it is not there" });
const mustNotAsk = (): never => assert.fail("nothing has to be looked for");

function surroundings(changes: Partial<DriverSurroundings> = {}): DriverSurroundings {
  const bare = { stack: "lab", platform: "linux", override: undefined, stacks: [], virtualBox: no, kvm: no };
  return { ...bare, drivers: ["virtualbox", "qemu", "nspawn", "fake"], ...changes };
}

const on = (driver: string, stack = "lab"): readonly StackOnDriver[] => [{ stack, driver }];

async function idOf(choice: Promise<unknown>): Promise<string> {
  const error = await choice.then(
    () => assert.fail("it must be refused"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof UserError);
  return error.id;
}

test("auto chooses system containers on Linux, and reports the choice", async () => {
  const { driver, reason } = await chooseDriver("auto", surroundings());
  assert.equal(driver, "nspawn");
  assert.match(reason, /^auto: /);
});

test("the environment overrides the configuration, and neither needs a search for hypervisors", async () => {
  const blind = { virtualBox: mustNotAsk, kvm: mustNotAsk };
  assert.equal((await chooseDriver("fake", surroundings(blind))).driver, "fake");
  assert.equal((await chooseDriver("nspawn", surroundings({ ...blind, override: "fake" }))).driver, "fake");
});

test("an existing stack keeps its driver, whatever is installed later", async () => {
  const installed = { virtualBox: mustNotAsk, kvm: mustNotAsk, stacks: on("nspawn") };
  const { driver, reason } = await chooseDriver("auto", surroundings(installed));
  assert.equal(driver, "nspawn");
  assert.match(reason, /created on nspawn/);
  // Another stack's driver does not matter.
  assert.equal((await chooseDriver("auto", surroundings({ stacks: on("fake", "other") }))).driver, "nspawn");
});

test("a different driver for an existing stack is refused from every source", async () => {
  assert.equal(await idOf(chooseDriver("fake", surroundings({ stacks: on("nspawn") }))), "driver-changed");
  const override = { override: "fake", stacks: on("nspawn") };
  assert.equal(await idOf(chooseDriver("auto", surroundings(override))), "driver-changed");
  assert.equal((await chooseDriver("nspawn", surroundings({ stacks: on("nspawn") }))).driver, "nspawn");
});

test("an unknown driver and a host without a driver are reported before anything is created", async () => {
  assert.equal(await idOf(chooseDriver("auto", surroundings({ override: "nspwan" }))), "unknown-driver");
  assert.equal(await idOf(chooseDriver("auto", surroundings({ platform: "darwin" }))), "no-driver");
});

test("auto prefers a usable VirtualBox, then QEMU with KVM, then containers", async () => {
  assert.equal((await chooseDriver("auto", surroundings({ virtualBox: yes, kvm: mustNotAsk }))).driver, "virtualbox");
  assert.equal((await chooseDriver("auto", surroundings({ kvm: yes }))).driver, "qemu");
  const { driver, passedOver } = await chooseDriver("auto", surroundings());
  assert.equal(driver, "nspawn");
  assert.deepEqual(passedOver, [
    { driver: "virtualbox", reason: "it is not there" },
    { driver: "qemu", reason: "it is not there" },
  ]);
  assert.equal((await chooseDriver("auto", surroundings({ platform: "win32", virtualBox: yes }))).driver, "virtualbox");
});

test("VirtualBox and QEMU with KVM never share a host", async () => {
  const onQemu = surroundings({ virtualBox: yes, kvm: yes, stacks: on("qemu", "other") });
  const chosen = await chooseDriver("auto", onQemu);
  assert.equal(chosen.driver, "qemu");
  assert.match(chosen.passedOver[0]?.reason ?? "", /the stack other runs on QEMU with KVM/);
  assert.equal(await idOf(chooseDriver("virtualbox", onQemu)), "two-hypervisors");
  const onVirtualBox = surroundings({ kvm: yes, stacks: on("virtualbox", "other") });
  assert.equal(await idOf(chooseDriver("qemu", onVirtualBox)), "two-hypervisors");
  assert.equal((await chooseDriver("auto", onVirtualBox)).driver, "nspawn");
  // Emulation does not use the processor's virtualisation.
  const emulated = surroundings({ kvm: no, stacks: on("virtualbox", "other") });
  assert.equal((await chooseDriver("qemu", emulated)).driver, "qemu");
});

test("only emulated machines get more time", async () => {
  assert.equal(await slowdownOf("qemu", { kvm: yes }), 1);
  assert.equal(await slowdownOf("qemu", { kvm: no }), 12);
  assert.equal(await slowdownOf("nspawn", { kvm: mustNotAsk }), 1);
});

test("a driver that this version does not have is an error, and auto does not choose it", async () => {
  const old = surroundings({ drivers: ["nspawn"], virtualBox: yes, kvm: yes });
  assert.equal(await idOf(chooseDriver("virtualbox", old)), "unknown-driver");
  assert.equal((await chooseDriver("auto", old)).driver, "nspawn");
});
