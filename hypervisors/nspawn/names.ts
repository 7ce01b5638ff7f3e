import { createHash } from "node:crypto";
import { UserError } from "../../model/user-error";
import type { MachineName } from "../hypervisor";

/**
 * Names of a stack's objects on the host. Stack and machine names contain no dot, so the dot keeps stack `lab-gateway` and
 * machine `gateway` of stack `lab` apart.
 */
export const stackNamespace = (stack: string): string => `gp-${stack}`;
export const machineNamespace = ({ stack, name }: MachineName): string => `gp-${stack}.${name}`;
export const namespacePath = (namespace: string): string => `/run/netns/${namespace}`;

/** The name for systemd-nspawn: the namespace's name, so that both are found together. */
export const containerName = machineNamespace;

/** A segment's bridge in the stack's namespace has the segment's name. */
export const bridgeName = (segment: string): string => segment;

/** The host's end of a machine's cable. Interface names have at most 15 characters, so the full name is its alias. */
export function portName(machine: string, segment: string): string {
  const digest = createHash("sha256").update(`${machine}/${segment}`).digest("hex");
  return `v${digest.slice(0, 12)}`;
}

/** The machine's interface to the outside, see uplink.ts. */
export const UPLINK = "uplink";

const MAX_MACHINE_NAME = 64;
const MAX_INTERFACE_NAME = 15;

/** @throws UserError when the kernel or systemd would reject a name that is derived from these */
export function checkNames(machine: MachineName, interfaces: readonly string[]): void {
  const container = containerName(machine);
  if (container.length > MAX_MACHINE_NAME) {
    throw new UserError(
      "name-too-long",
      `${container} has ${container.length} characters, a system container's name at most ${MAX_MACHINE_NAME}`,
      "choose a shorter stack name",
    );
  }
  const long = interfaces.find((name) => name.length > MAX_INTERFACE_NAME);
  if (long === undefined) return;
  throw new UserError(
    "name-too-long",
    `interface ${long} of ${machine.name} has ${long.length} characters, Linux takes at most ${MAX_INTERFACE_NAME}`,
    "choose a shorter segment name",
  );
}
