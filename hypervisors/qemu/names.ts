import { createHash } from "node:crypto";
import * as path from "node:path";
import type { Host } from "../../model/host";
import { UserError } from "../../model/user-error";
import type { MachineName, MachineSpec } from "../hypervisor";
import { CONTROL_SOCKET, guestUplinkSocket, segmentSocket } from "./switch/protocol";

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
export const runtimeRoot = (host: Host): string =>
  host.facts.uid === 0 ? "/run/groundplane/qemu" : `/tmp/groundplane-${host.facts.uid}`;

/** A stack's sockets; another data folder's stack of the same name has others. */
export function runtimeFolder(host: Host, stack: string): string {
  const digest = createHash("sha256").update(`${host.folders.data()}\0${stack}`).digest("hex");
  return path.join(runtimeRoot(host), digest.slice(0, 12));
}

export const socketPath = (host: Host, stack: string, socket: string): string =>
  path.join(runtimeFolder(host, stack), socket);
export const qmpSocket = (host: Host, { stack, name }: MachineName): string => socketPath(host, stack, `qmp.${name}`);
export const controlSocket = (host: Host, stack: string): string => socketPath(host, stack, CONTROL_SOCKET);

/** Linux' `sun_path` with its end mark. */
const MAX_SOCKET_PATH = 107;
/** virtio-blk's serial number. */
const MAX_SERIAL = 20;

/** @throws UserError when a socket or a disk could not be called what follows from these names */
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
