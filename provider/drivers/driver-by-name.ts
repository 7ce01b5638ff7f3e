import { UserError } from "../host/user-error";
import type { Hypervisor } from "../hypervisor";
import { fakeHypervisor } from "./fake/fake-hypervisor";
import { createNspawnDriver } from "./nspawn/driver";
import { createQemuDriver } from "./qemu/driver";

/**
 * Finds the driver that an object's `driver` input names.
 * @throws UserError for a name that no driver has
 */
export type DriverByName = (name: string) => Hypervisor;

const makers: Readonly<Record<string, () => Hypervisor>> = {
  nspawn: createNspawnDriver,
  qemu: createQemuDriver,
  fake: () => fakeHypervisor,
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
  const driver = make();
  made.set(name, driver);
  return driver;
};
