import { changeOfKey } from "../configuration-changes";
import { type DriverName, featuresOf } from "../drivers";
import type { Settings } from "../resource-types";
import type { Role } from "../roles";

/** What decides how long nodes with a role take, and its value on the stacks that are measured. */
const measuredWith: Readonly<Record<string, { readonly value: string; readonly of?: readonly Role[] }>> = {
  distribution: { value: "debian" },
  "options.runtime": { value: "containerd", of: ["master", "worker"] },
  "options.controlPlane": { value: "static-pods", of: ["master", "etcd"] },
  "options.balancer": { value: "haproxy", of: ["balancer"] },
  "options.failoverBy": { value: "pacemaker", of: ["balancer"] },
};

/**
 * Why the figures of `roll-figures.ts` are not of such a node: it is a virtual machine, or runs other programs. `undefined`: they are, or
 * the driver is chosen later.
 */
export function unlikeMeasured(
  roles: readonly Role[],
  driver: DriverName | "auto",
  settings: Settings,
): string | undefined {
  if (driver !== "auto" && !featuresOf(driver).sharesKernel) return `on the driver ${driver}`;
  for (const [key, { value, of }] of Object.entries(measuredWith)) {
    const present = settings[key] ?? changeOfKey(key)?.formerly ?? value;
    if (present !== value && (of === undefined || of.some((role) => roles.includes(role))))
      return `with ${key}: ${present}`;
  }
  return undefined;
}
