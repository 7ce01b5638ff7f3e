import { createHash } from "node:crypto";
import { UserError } from "../../model/user-error";
import type { MachineName, MachineSpec } from "../hypervisor";

/**
 * Names of a stack's objects in VirtualBox. Machines are known by their planned UUID, and everything else by its path;
 * names are for the people who look at VirtualBox' manager.
 */
export const vmName = ({ stack, name }: MachineName): string => `${stack}-${name}`;
/** Group in VirtualBox' manager, and the folder that VirtualBox makes of it. */
export const vmGroup = (stack: string): string => `/groundplane-${stack}`;
/** An internal network exists while a machine is plugged into it: its name is all there is of it. */
export const internalNetwork = (stack: string, segment: string): string => `gp-${stack}-${segment}`;

/** What a machine's network of user-mode NAT is called where segments are named. */
export const UPLINK = "uplink";

export const holderName = (image: string): string => `groundplane-image-${image}`;
export const HOLDER_GROUP = "/groundplane-images";

export const CONTROLLER = "SATA";
/** Ports of the one controller: the system disk first, where the BIOS looks, then the seed, then the data disks. */
export const SYSTEM_PORT = 0;
export const SEED_PORT = 1;
export const FIRST_DATA_PORT = 2;
/** An AHCI controller has no more. */
const CONTROLLER_PORTS = 30;
/** A machine with a PIIX3 chipset has no more. */
export const ADAPTERS = 8;

/** Namespace of the identities that follow from content and place, e.g. of converted images. */
const NAMESPACE = Buffer.from("0d3b0b1e1f0f5c0c9a6f6b2f4c8f7a11", "hex");

/** UUID version 5: the same name always gets the same one. */
export function uuidOf(name: string): string {
  const digest = createHash("sha1").update(NAMESPACE).update(name).digest().subarray(0, 16);
  digest.writeUInt8((digest.readUInt8(6) & 0x0f) | 0x50, 6);
  digest.writeUInt8((digest.readUInt8(8) & 0x3f) | 0x80, 8);
  return digest.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** @throws UserError when VirtualBox has no room or no name for what the machine needs */
export function checkMachine(spec: MachineSpec): void {
  const adapters = spec.nics.length + (spec.uplink ? 1 : 0);
  if (adapters > ADAPTERS) {
    throw tooMuch(`${spec.name} needs ${adapters} network adapters, a VirtualBox machine has ${ADAPTERS}`);
  }
  const room = CONTROLLER_PORTS - FIRST_DATA_PORT;
  if (spec.disks.length > room) {
    throw tooMuch(`${spec.name} has ${spec.disks.length} data disks, a VirtualBox machine has room for ${room}`);
  }
}

const tooMuch = (problem: string): UserError =>
  new UserError("too-much-for-virtualbox", problem, "give the machine fewer of them");
