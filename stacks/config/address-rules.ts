import { poolNames } from "../../model/roles";
import type { Configuration } from "./configuration";
import { type ConfigurationPath, formatPath } from "./configuration-path";
import { address, type Cidr, cidr, contains, formatAddress, formatCidr, lastOf } from "./ipv4";
import { rolesOfPool } from "./pool-roles";
import type { Rule } from "./rules";
import {
  canBeCarved,
  dynamicRangeOf,
  floatingIpOffset,
  gatewayOffset,
  layOutSegments,
  nodeOffset,
} from "./segment-layout";

/** Also with one balancer both addresses stay reserved: a second one must find its own free. */
const reservedBalancers = 2;

const floatingIpFree: Rule = {
  reads: [["floatingIp"], ["network", "cidr"]],
  check({ floatingIp, network }) {
    const range = cidr(network.cidr);
    if (floatingIp === undefined || !canBeCarved(range)) return [];
    const { dmz } = layOutSegments(range).segments;
    const broken = brokenAddressRule(address(floatingIp), dmz);
    if (broken === undefined) return [];
    const planned = formatAddress(dmz.network + floatingIpOffset);
    return [{ path: ["floatingIp"], rule: broken, fix: `leave it out or use ${planned}` }];
  },
};

function brokenAddressRule(value: number, dmz: Cidr): string | undefined {
  const dynamic = dynamicRangeOf(dmz);
  const offset = value - dmz.network;
  if (!contains(dmz, value)) return `must be inside the dmz segment ${formatCidr(dmz)}`;
  if (value === dmz.network || value === lastOf(dmz)) return "must not be the segment's first or last address";
  if (offset === gatewayOffset) return "must not be the gateway's address";
  if (offset > nodeOffset && offset <= nodeOffset + reservedBalancers) {
    return `must not be the address of balancer-${offset - nodeOffset}`;
  }
  if (value >= dynamic.first) {
    return `must be outside the dynamic range ${formatAddress(dynamic.first)} to ${formatAddress(dynamic.last)}`;
  }
  return undefined;
}

const hostPortsDiffer: Rule = {
  reads: [["hostPorts"]],
  check({ hostPorts: { api, ssh, registry, nodePorts, services } }) {
    const all: readonly { readonly path: ConfigurationPath; readonly port: number }[] = [
      { path: ["hostPorts", "api"], port: api },
      { path: ["hostPorts", "ssh"], port: ssh },
      ...(registry === undefined ? [] : [{ path: ["hostPorts", "registry"], port: registry }]),
      ...nodePorts.map(({ port }, position) => ({ path: nodePortPath(position, "port"), port })),
      ...services.map(({ port }, position) => ({ path: ["hostPorts", "services", position, "port"], port })),
    ];
    return all.flatMap(({ path, port }, position) => {
      const first = all.findIndex((other) => other.port === port);
      if (first === position) return [];
      return [{ path, rule: `must differ from ${formatPath(all[first]?.path ?? [])}`, fix: "give each its own port" }];
    });
  },
};

const nodePortPath = (position: number, key: "port" | "nodePort"): ConfigurationPath => [
  ...["hostPorts", "nodePorts"],
  position,
  key,
];

const nodePortsOnce: Rule = {
  reads: [["hostPorts", "nodePorts"]],
  check({ hostPorts: { nodePorts } }) {
    return nodePorts.flatMap(({ nodePort }, position) => {
      const first = nodePorts.findIndex((other) => other.nodePort === nodePort);
      if (first === position) return [];
      const rule = `must be listed once; nodePorts[${first}] has it already`;
      return [{ path: nodePortPath(position, "nodePort"), rule, fix: "use the port of the other entry" }];
    });
  },
};

const nodePortsHaveWorkers: Rule = {
  reads: [["hostPorts", "nodePorts"], ["pools"]],
  check({ hostPorts: { nodePorts }, pools }) {
    if (nodePorts.length === 0 || hasWorkers(pools)) return [];
    const rule = "needs a machine that runs pods";
    return [
      {
        path: ["hostPorts", "nodePorts"],
        rule,
        fix: "use pools.workers.count: 1 or more, or pools.masters.roles: [worker]",
      },
    ];
  },
};

const hasWorkers = (pools: Configuration["pools"]): boolean =>
  poolNames.some((pool) => pools[pool].count > 0 && rolesOfPool(pools, pool).includes("worker"));

export const addressRules: readonly Rule[] = [floatingIpFree, hostPortsDiffer, nodePortsOnce, nodePortsHaveWorkers];
