import { createHash } from "node:crypto";
import * as path from "node:path";
import type { Host } from "../../model/host";
import { UserError } from "../../model/user-error";
import type { MachineName, MachineSpec } from "../hypervisor";
import { CONTROL_SOCKET, guestUplinkSocket, segmentSocket } from "./switch/protocol";

/** The machine's name in a process listing. */
export const guestName = ({ stack, name }: MachineName): string => `gp-${stack}.${name}`;

/** The machine's interface to the outside, see uplink.ts. */
export const UPLINK = "uplink";

/** QMP names of a machine's network cards. */
export const cardOf = (segment: string): string => `card-${segment}`;
export const UPLINK_CARD = cardOf(UPLINK);
export const NAT = "nat";

/** QMP names of disks. */
export const SYSTEM_DISK = "system";
export const dataDiskNode = (index: number): string => `data-${index}`;

/**
 * The folder for sockets, which do not survive a restart of the host. It is not below the data folder, whose path may be
 * too long for a socket, and not in /run/user, which is removed when its user logs out.
 */
export const runtimeRoot = (host: Host): string =>
  host.facts.uid === 0 ? "/run/groundplane/qemu" : `/tmp/groundplane-${host.facts.uid}`;

/** Folder of a stack's sockets. Stacks of the same name in different data folders have different ones. */
export function runtimeFolder(host: Host, stack: string): string {
  const digest = createHash("sha256").update(`${host.folders.data()}\0${stack}`).digest("hex");
  return path.join(runtimeRoot(host), digest.slice(0, 12));
}

export const socketPath = (host: Host, stack: string, socket: string): string =>
  path.join(runtimeFolder(host, stack), socket);
export const qmpSocket = (host: Host, { stack, name }: MachineName): string => socketPath(host, stack, `qmp.${name}`);
export const controlSocket = (host: Host, stack: string): string => socketPath(host, stack, CONTROL_SOCKET);

/** Linux's `sun_path` without its final NUL. */
const MAX_SOCKET_PATH = 107;
/** Length of a virtio-blk serial number. */
const MAX_SERIAL = 20;

/** @throws UserError when a socket or a disk would get a name that is too long */
export function checkNames(host: Host, spec: MachineSpec): void {
  const sockets = [qmpSocket(host, spec), socketPath(host, spec.stack, guestUplinkSocket(spec.name))];
  sockets.push(...spec.nics.map(({ segment }) => socketPath(host, spec.stack, segmentSocket(segment))));
  const long = sockets.find((socket) => Buffer.byteLength(socket) > MAX_SOCKET_PATH);
  if (long !== undefined) {
    throw new UserError(
      "name-too-long",
      `the socket ${long} would have ${Buffer.byteLength(long)} characters, Linux takes at most ${MAX_SOCKET_PATH}`,
      "choose shorter names for machines and segments",
    );
  }
  const serial = spec.disks.find(({ disk }) => disk.length > MAX_SERIAL);
  if (serial === undefined) return;
  throw new UserError(
    "name-too-long",
    `disk ${serial.disk} of ${spec.name} has ${serial.disk.length} characters; by its serial number the guest finds at most ${MAX_SERIAL}`,
    "choose a shorter name for the pool",
  );
}
