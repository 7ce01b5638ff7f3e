import { stackFile } from "../host/project-folder";
import type { Hypervisor } from "../hypervisors/hypervisor";
import { UserError } from "../model/user-error";
import type { Configuration } from "../stacks/config/configuration";

/** Why no fault may be injected into a stack; `undefined`: faults may be. */
export function refusedFaults(
  { name, options }: Configuration,
  { name: driver, hardKill, links }: Hypervisor,
): UserError | undefined {
  if (options.protected) {
    return new UserError(
      "stack-protected",
      `${name} is protected: its machines must not be broken`,
      `use another stack, or remove \`protected: true\` from ${stackFile(name)}`,
    );
  }
  if (hardKill && links) return undefined;
  return new UserError(
    "driver-without-faults",
    `the driver ${driver} cannot cut power or disconnect network links`,
    "use a stack on another driver",
  );
}
