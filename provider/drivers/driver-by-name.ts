import { UserError } from "../host/user-error";
import type { Hypervisor } from "../hypervisor";
import { fakeHypervisor } from "./fake/fake-hypervisor";
import { createNspawnDriver } from "./nspawn/driver";

/**
 * Finds the driver that an object's `driver` input names.
 * @throws UserError for a name that no driver has
 */
export type DriverByName = (name: string) => Hypervisor;

const drivers: Readonly<Record<string, Hypervisor>> = { nspawn: createNspawnDriver(), fake: fakeHypervisor };

export const driverByName: DriverByName = (name) => {
  const driver = Object.hasOwn(drivers, name) ? drivers[name] : undefined;
  if (driver) return driver;
  const known = Object.keys(drivers).join(", ");
  throw new UserError("unknown-driver", `there is no driver "${name}"`, `use one of these: ${known}`);
};
