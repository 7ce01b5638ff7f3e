import { UserError } from "../model/user-error";
import type { Hypervisor } from "./hypervisor";

/**
 * Finds the driver that an object's `driver` input names.
 * @throws UserError for a name that no driver has
 */
export type DriverByName = (name: string) => Hypervisor;

/** Loaded when they are named: a stack has one of them, and the provider starts with every command. */
const makers: Readonly<Record<string, () => Hypervisor>> = {
  virtualbox: () => (require("./virtualbox/driver") as typeof import("./virtualbox/driver")).createVirtualBoxDriver(),
  nspawn: () => (require("./nspawn/driver") as typeof import("./nspawn/driver")).createNspawnDriver(),
  qemu: () => (require("./qemu/driver") as typeof import("./qemu/driver")).createQemuDriver(),
  fake: () => (require("./fake/fake-hypervisor") as typeof import("./fake/fake-hypervisor")).fakeHypervisor,
};
const made = new Map<string, Hypervisor>();

export const driverByName: DriverByName = (name) => {
  const present = made.get(name);
  if (present) return present;
  const make = Object.hasOwn(makers, name) ? makers[name] : undefined;
  if (!make) {
    const known = Object.keys(makers).join(", ");
    throw new UserError("unknown-driver", `there is no driver "${name}"`, `use one of these: ${known}`);
  }
  const driver = areGuestsSimulated() ? simulated(make()) : make();
  made.set(name, driver);
  return driver;
};

/** For tests where machines are real and their guests are not. */
const areGuestsSimulated = (): boolean => process.env.GROUNDPLANE_GUESTS === "simulated";
const simulated = (driver: Hypervisor): Hypervisor =>
  (require("./fake/simulated-guests") as typeof import("./fake/simulated-guests")).withSimulatedGuests(driver);
