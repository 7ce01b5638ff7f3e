import type { SegmentName } from "../../model/segments";
import type { Configuration, DiskConfiguration, PoolName } from "../config/configuration";
import { imageKindOfPool } from "../config/volume-rules";
import type { DataDiskPlan, InterfacePlan, NodePlan, Role, SegmentPlan } from "./data-center-plan";
import { nodeAddress } from "./plan-addresses";
import { diskName, diskUuid, domainOf, macOf, nodeName, nodeUuid } from "./plan-names";
import { planSystemVolumes } from "./plan-system-volumes";

interface RolePlacement {
  readonly role: Role;
  readonly pool: PoolName;
  readonly segment: SegmentName;
}

/** The order of nodes in the plan, and where each role lives. */
const placements: readonly RolePlacement[] = [
  { role: "gateway", pool: "gateway", segment: "dmz" },
  { role: "balancer", pool: "balancers", segment: "dmz" },
  { role: "master", pool: "masters", segment: "masters" },
  { role: "worker", pool: "workers", segment: "workers" },
  { role: "storage", pool: "storage", segment: "storage" },
];

export function planNodes(configuration: Configuration, segments: readonly SegmentPlan[]): readonly NodePlan[] {
  return placements.flatMap((placement) =>
    Array.from({ length: configuration.pools[placement.pool].count }, (_, position) =>
      planNode(configuration, segments, placement, position + 1),
    ),
  );
}

function planNode(
  configuration: Configuration,
  segments: readonly SegmentPlan[],
  placement: RolePlacement,
  index: number,
): NodePlan {
  const stack = configuration.name;
  const pool = configuration.pools[placement.pool];
  const name = nodeName(placement.role, index);
  const [main, ...others] = planInterfaces(stack, segments, placement, index);
  if (main === undefined) throw new RangeError(`${name} has no segment`);
  return {
    name,
    role: placement.role,
    index,
    fqdn: `${name}.${domainOf(stack)}`,
    uuid: nodeUuid(stack, name),
    cpus: pool.cpus,
    memoryMiB: pool.memoryMiB,
    diskGiB: pool.diskGiB,
    interfaces: [main, ...others],
    address: main.address,
    volumes: planSystemVolumes(pool, imageKindOfPool(placement.pool)),
    dataDisks: pool.disks.map((disk) => planDisk(stack, name, disk)),
  };
}

/** The gateway stands in every segment with its first address, everybody else in one. */
function planInterfaces(
  stack: string,
  segments: readonly SegmentPlan[],
  placement: RolePlacement,
  index: number,
): readonly InterfacePlan[] {
  const isGateway = placement.role === "gateway";
  return segments
    .filter((segment) => isGateway || segment.name === placement.segment)
    .map((segment) => planInterface(stack, segment, isGateway ? segment.gateway : nodeAddress(segment, index)));
}

function planInterface(stack: string, segment: SegmentPlan, ip: string): InterfacePlan {
  return {
    name: segment.name,
    segment: segment.name,
    mac: macOf(stack, ip),
    address: ip,
    prefixLength: segment.prefixLength,
  };
}

function planDisk(stack: string, node: string, disk: DiskConfiguration): DataDiskPlan {
  const name = diskName(node, disk.name);
  return { name, uuid: diskUuid(stack, name), sizeGiB: disk.sizeGiB, mountPoint: `/data/${disk.name}` };
}
