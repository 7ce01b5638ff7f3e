import { type DriverName, driverNames, isDriverName } from "../model/drivers";
import type { Host } from "../model/host";
import { UserError } from "../model/user-error";
import { withCheckedNames } from "./checked-names";
import type { Hypervisor } from "./hypervisor";

/**
 * Finds the driver that an object's `driver` input names.
 * @throws UserError `unknown-driver`
 */
export type DriverByName = (name: string) => Hypervisor;

/** Loaded on demand: a stack uses one driver, and the provider starts with every command. */
const makers: Readonly<Record<DriverName, (host: Host) => Hypervisor>> = {
  virtualbox: (host) =>
    (require("./virtualbox/driver") as typeof import("./virtualbox/driver")).createVirtualBoxDriver(host),
  nspawn: (host) => (require("./nspawn/driver") as typeof import("./nspawn/driver")).createNspawnDriver(host),
  qemu: (host) => (require("./qemu/driver") as typeof import("./qemu/driver")).createQemuDriver(host),
  fake: (host) => (require("./fake/fake-driver") as typeof import("./fake/fake-driver")).createFakeDriver(host),
};
/** Drivers cache answers, so each host has one instance of each. */
const made = new WeakMap<Host, Map<string, Hypervisor>>();

/** @throws UserError `unknown-driver` */
export function driverByName(name: string, host: Host): Hypervisor {
  const ofHost = made.get(host) ?? new Map<string, Hypervisor>();
  made.set(host, ofHost);
  const present = ofHost.get(name);
  if (present) return present;
  if (!isDriverName(name)) {
    throw new UserError(
      "unknown-driver",
      `there is no driver "${name}"`,
      `use one of these: ${driverNames.join(", ")}`,
    );
  }
  const make = makers[name];
  const driver = withCheckedNames(areGuestsSimulated(host) ? simulated(make(host), host) : make(host));
  ofHost.set(name, driver);
  return driver;
}

/** For tests with real machines and simulated guests. */
const areGuestsSimulated = ({ facts }: Host): boolean => facts.env.GROUNDPLANE_GUESTS === "simulated";
const simulated = (driver: Hypervisor, host: Host): Hypervisor =>
  (require("./fake/simulated-guests") as typeof import("./fake/simulated-guests")).withSimulatedGuests(driver, host);
