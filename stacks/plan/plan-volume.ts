import { failoverProfiles } from "../../model/failover-profiles";
import { guestPaths } from "../../model/guest-paths";
import type { Configuration } from "../config/configuration";
import type { BrickPlan, NodePlan, SegmentPlan, VolumePlan } from "./data-center-plan";
import { peerId } from "./plan-names";

/** Machines that keep the same data: three copies where there are machines for it, or two and their arbiter. */
export const keepersOfData = (storageMachines: number): number => Math.min(3, storageMachines);

/** The volume of the storage machines, each with its brick on its first data disk; `undefined` when there are none. */
export function planVolume(
  configuration: Configuration,
  segments: readonly SegmentPlan[],
  nodes: readonly NodePlan[],
): VolumePlan | undefined {
  const bricks = nodes
    .filter(({ roles }) => roles.includes("storage"))
    .flatMap((node) => planBrick(configuration.name, node));
  if (bricks.length === 0) return undefined;
  const workers = segments.filter(({ name }) => name === "workers").map(({ cidr }) => cidr);
  return {
    name: "data",
    shape: bricks.length === 1 ? "single" : configuration.storage.volume,
    bricks,
    mountPoint: `${guestPaths.volumeMounts}/data`,
    // The storage machines themselves are clients too: they heal each other.
    clients: [...workers, ...bricks.map(({ address }) => address)],
    ...failoverProfiles[configuration.options.failover].volume,
  };
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
