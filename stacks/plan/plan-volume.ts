import { failoverProfiles } from "../../model/failover-profiles";
import { guestPaths, volumeName } from "../../model/guest-paths";
import { type Role, roles } from "../../model/roles";
import type { Configuration } from "../config/configuration";
import type { BrickPlan, DataCenterPlan, DataDiskPlan, NodePlan, SegmentPlan, VolumePlan } from "./data-center-plan";
import { peerId } from "./plan-names";
import { segmentsOf } from "./role-machines";

/** Machines that keep the same data: three copies where there are machines for it, or two and their arbiter. */
export const keepersOfData = (storageMachines: number): number => Math.min(3, storageMachines);

/** The volume of the storage machines, each with its brick on its first data disk; `undefined` when there are none. */
export function planVolume(
  configuration: Configuration,
  segments: readonly SegmentPlan[],
  nodes: readonly NodePlan[],
): VolumePlan | undefined {
  const bricks = nodes
    .filter(({ roles: set }) => set.includes("storage"))
    .flatMap((node) => planBrick(configuration.name, node));
  if (bricks.length === 0) return undefined;
  // Masters write their backups to it.
  const clientRoles: readonly Role[] = configuration.backups ? ["worker", "master"] : ["worker"];
  const clients = new Set(clientRoles.flatMap((role) => segmentsOf({ segments, nodes }, role).map(({ cidr }) => cidr)));
  // A gateway mounts the volume from its address in the segment of the storage machines.
  const gateway = nodes
    .filter(({ roles: set }) => set.includes("gateway") && clientRoles.some((role) => set.includes(role)))
    .flatMap(({ interfaces }) => interfaces.filter(({ segment }) => segment === roles.storage.segment));
  return {
    name: volumeName,
    shape: bricks.length === 1 ? "single" : configuration.storage.volume,
    bricks,
    mountPoint: `${guestPaths.volumeMounts}/${volumeName}`,
    // The storage machines themselves are clients too: they heal each other.
    clients: [...clients, ...[...gateway, ...bricks].map(({ address }) => address)],
    ...failoverProfiles[configuration.options.failover].volume,
  };
}

const shapes: Readonly<Record<VolumePlan["shape"], string>> = {
  single: "the only copy",
  "replica-3": "one of three copies",
  arbiter: "one of two copies and their arbiter",
};

/** What a data disk holds, to be recorded on it: a kept disk serves again only as what it was. */
export function useOfDisk({ stack, volume }: DataCenterPlan, node: NodePlan, disk: DataDiskPlan): string {
  const position = (volume?.bricks ?? []).findIndex((brick) => brick.node === node.name);
  const isBrick = position >= 0 && volume?.bricks[position]?.mountPoint === disk.mountPoint;
  if (!isBrick) return `data of ${node.name} of stack ${stack}`;
  return `brick ${position + 1} of volume ${volume.name} of stack ${stack}, ${shapes[volume.shape]}`;
}

function planBrick(stack: string, node: NodePlan): BrickPlan[] {
  return node.dataDisks.slice(0, 1).map(({ mountPoint }) => ({
    node: node.name,
    address: node.address,
    peerId: peerId(stack, node.name),
    mountPoint,
    folder: `${mountPoint}/volume`,
  }));
}
