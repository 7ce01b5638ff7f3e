import { createHash } from "node:crypto";
import { UserError } from "../../model/user-error";
import type { MachineName, MachineSpec } from "../hypervisor";

/**
 * Names of a stack's objects in VirtualBox. The driver identifies machines by their planned UUID and all other objects
 * by their path. Names are for users of VirtualBox's manager.
 */
export const vmName = ({ stack, name }: MachineName): string => `${stack}-${name}`;
/** Group in VirtualBox's manager, and the name of the folder that VirtualBox creates for it. */
export const vmGroup = (stack: string): string => `/groundplane-${stack}`;
/** An internal network has no object besides its name. It exists while a machine is connected to it. */
export const internalNetwork = (stack: string, segment: string): string => `gp-${stack}-${segment}`;

/** Name of the user-mode NAT network where segment names are used. */
export const UPLINK = "uplink";

export const holderName = (image: string): string => `groundplane-image-${image}`;
export const HOLDER_GROUP = "/groundplane-images";

export const CONTROLLER = "SATA";
/** Ports of the one controller: the system disk first, where the BIOS looks, then the seed, then the data disks. */
export const SYSTEM_PORT = 0;
export const SEED_PORT = 1;
export const FIRST_DATA_PORT = 2;
/** The maximum of an AHCI controller. */
const CONTROLLER_PORTS = 30;
/** The maximum of a machine with a PIIX3 chipset. */
export const ADAPTERS = 8;

/** Namespace of the UUIDs that are derived from content and path, e.g. of converted images. */
const NAMESPACE = Buffer.from("0d3b0b1e1f0f5c0c9a6f6b2f4c8f7a11", "hex");

/** UUID version 5: the same name always results in the same UUID. */
export function uuidOf(name: string): string {
  const digest = createHash("sha1").update(NAMESPACE).update(name).digest().subarray(0, 16);
  digest.writeUInt8((digest.readUInt8(6) & 0x0f) | 0x50, 6);
  digest.writeUInt8((digest.readUInt8(8) & 0x3f) | 0x80, 8);
  return digest.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** @throws UserError if the machine needs more adapters or disks than VirtualBox supports */
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
