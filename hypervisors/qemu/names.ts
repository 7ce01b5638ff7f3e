import { createHash } from "node:crypto";
import * as path from "node:path";
import { dataFolder } from "../../host/data-folder";
import { UserError } from "../../model/user-error";
import type { MachineName, MachineSpec } from "../hypervisor";
import { CONTROL_SOCKET, guestUplinkSocket, segmentSocket } from "./switch/sockets";

/** What a process listing shows of a machine. */
export const guestName = ({ stack, name }: MachineName): string => `gp-${stack}.${name}`;

/** The machine's way out, see uplink.ts. */
export const UPLINK = "uplink";

/** Names of a machine's network cards, as QMP knows them. */
export const cardOf = (segment: string): string => `card-${segment}`;
export const UPLINK_CARD = cardOf(UPLINK);
export const NAT = "nat";

/** Names of disks in QMP. */
export const SYSTEM_DISK = "system";
export const dataDiskNode = (index: number): string => `data-${index}`;

/**
 * Where sockets lie: what ends with the host's uptime. Not below the data folder, whose paths may be longer than a
 * socket's can be; not in /run/user, which goes when its user logs out.
 */
export const runtimeRoot = (): string =>
  process.getuid?.() === 0 ? "/run/groundplane/qemu" : `/tmp/groundplane-${process.getuid?.()}`;

/** A stack's sockets; another data folder's stack of the same name has others. */
export function runtimeFolder(stack: string): string {
  const digest = createHash("sha256").update(`${dataFolder()}\0${stack}`).digest("hex");
  return path.join(runtimeRoot(), digest.slice(0, 12));
}

export const socketPath = (stack: string, socket: string): string => path.join(runtimeFolder(stack), socket);
export const qmpSocket = ({ stack, name }: MachineName): string => socketPath(stack, `qmp.${name}`);
export const controlSocket = (stack: string): string => socketPath(stack, CONTROL_SOCKET);

/** Linux' `sun_path` with its end mark. */
const MAX_SOCKET_PATH = 107;
/** virtio-blk's serial number. */
const MAX_SERIAL = 20;

/** @throws UserError when a socket or a disk could not be called what follows from these names */
export function checkNames(spec: MachineSpec): void {
  const sockets = [qmpSocket(spec), socketPath(spec.stack, guestUplinkSocket(spec.name))];
  sockets.push(...spec.nics.map(({ segment }) => socketPath(spec.stack, segmentSocket(segment))));
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
