import { imageKindOf, isClusterNode, type PoolName, poolNames, primaryRole, type Role, roles } from "../../model/roles";
import { floatingIpSegment, type SegmentName } from "../../model/segments";
import type { Configuration, DiskConfiguration } from "../config/configuration";
import { rolesOfPool } from "../config/pool-roles";
import type { DataDiskPlan, InterfacePlan, NodePlan, SegmentPlan } from "./data-center-plan";
import { nodeAddress } from "./plan-addresses";
import { diskName, diskUuid, domainOf, macOf, nodeName, nodeUuid } from "./plan-names";
import { planSystemVolumes } from "./plan-system-volumes";

/** What a machine needs for its own services; an emulated one is slow. */
const SERVICES_SECONDS = 60;

/** Nodes are in the order of the pools. */
export function planNodes(configuration: Configuration, segments: readonly SegmentPlan[]): readonly NodePlan[] {
  return poolNames.flatMap((pool) =>
    Array.from({ length: configuration.pools[pool].count }, (_, position) =>
      planNode(configuration, segments, pool, position + 1),
    ),
  );
}

function planNode(
  configuration: Configuration,
  segments: readonly SegmentPlan[],
  poolName: PoolName,
  index: number,
): NodePlan {
  const stack = configuration.name;
  const pool = configuration.pools[poolName];
  const set = rolesOfPool(configuration.pools, poolName);
  const name = nodeName(primaryRole(set), index);
  const [main, ...others] = planInterfaces(stack, segments, set, index);
  if (main === undefined) throw new RangeError(`${name} has no segment`);
  return {
    name,
    roles: set,
    index,
    fqdn: `${name}.${domainOf(stack)}`,
    uuid: nodeUuid(stack, name),
    cpus: pool.cpus,
    memoryMiB: pool.memoryMiB,
    diskGiB: pool.diskGiB,
    shutdownSeconds: SERVICES_SECONDS + (isClusterNode(set) ? configuration.options.podGraceSeconds : 0),
    interfaces: [main, ...others],
    address: main.address,
    volumes: planSystemVolumes(pool, imageKindOf(set)),
    dataDisks: pool.disks.map((disk) => planDisk(stack, name, disk)),
  };
}

/** Where the machines of a pool are: those that may hold the floating IP must be in its segment. */
const homeOf = (set: readonly Role[]): SegmentName =>
  set.includes("balancer") ? floatingIpSegment : roles[primaryRole(set)].segment;

/** The gateway has the first address of every segment, every other node is in one segment. */
function planInterfaces(
  stack: string,
  segments: readonly SegmentPlan[],
  set: readonly Role[],
  index: number,
): readonly InterfacePlan[] {
  const isGateway = set.includes("gateway");
  const home = homeOf(set);
  return segments
    .filter((segment) => isGateway || segment.name === home)
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
