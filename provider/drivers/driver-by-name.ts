import type { Hypervisor } from "../hypervisor";

/** Finds the driver that an object's `driver` input names; throws a UserError for a name that no driver has. */
export type DriverByName = (name: string) => Hypervisor;
