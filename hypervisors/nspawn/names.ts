import { createHash } from "node:crypto";
import { UserError } from "../../model/user-error";
import type { MachineName } from "../hypervisor";

/**
 * Names of a stack's objects on the host. The dot keeps them apart: neither stack nor machine names hold one, so
 * stack `lab-gateway` never meets machine `gateway` of stack `lab`.
 */
export const stackNamespace = (stack: string): string => `gp-${stack}`;
export const machineNamespace = ({ stack, name }: MachineName): string => `gp-${stack}.${name}`;
export const namespacePath = (namespace: string): string => `/run/netns/${namespace}`;

/** Name given to systemd-nspawn; the same as the namespace's, so that both are found together. */
export const containerName = machineNamespace;

/** A segment's bridge in the stack's namespace is called like the segment. */
export const bridgeName = (segment: string): string => segment;

/** Host side of a machine's cable into a segment: interface names end at 15 characters, so the full name is its alias. */
export function portName(machine: string, segment: string): string {
  const digest = createHash("sha256").update(`${machine}/${segment}`).digest("hex");
  return `v${digest.slice(0, 12)}`;
}

/** The machine's way out, see uplink.ts. */
export const UPLINK = "uplink";

const MAX_MACHINE_NAME = 64;
const MAX_INTERFACE_NAME = 15;

/** @throws UserError when the kernel or systemd would not take a name that follows from these. */
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
