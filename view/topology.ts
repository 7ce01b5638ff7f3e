import { backupFlows, interSegmentFlows } from "../model/flows";
import type { Role } from "../model/roles";
import { segments as segmentTable } from "../model/segments";
import { type DataCenterPlan, etcdMachinesOf, type NodePlan, nodesOf } from "../stacks/plan/data-center-plan";
import type { FlowLine, MachineBox, Topology } from "./picture/state";

/** What the page draws of a plan: machines in their segments, and what passes between their roles. */
export function topologyOf(plan: DataCenterPlan): Topology {
  const machines = plan.nodes.map(machineBox);
  const used = plan.segments.filter(
    ({ name }) => machines.some(({ segment }) => segment === name) || segmentTable[name].first === 0,
  );
  return {
    ...{ stack: plan.stack, domain: plan.domain, machines, flows: flowsOf(plan) },
    segments: used.map(({ name, cidr }) => ({ name, cidr })),
    floatingIp: plan.balancing.floatingIp,
    apiPort: plan.balancing.port,
    dnsService: plan.kubernetes.dnsServiceIp,
    hasVolume: plan.volume !== undefined,
    movedBy: plan.balancing.movedBy,
    hostPorts: { api: plan.hostPorts.api, ssh: plan.hostPorts.ssh },
    kubernetes: plan.kubernetes.version,
    uplink: plan.uplink.address,
  };
}

function machineBox({ name, roles, address, interfaces, cpus, memoryMiB, dataDisks }: NodePlan): MachineBox {
  const [first] = interfaces;
  return {
    ...{ name, roles, address, cpus, memoryMiB },
    ...(!roles.includes("gateway") && first && { segment: first.segment }),
    disks: dataDisks.map((disk) => `${disk.name}, ${disk.sizeGiB} GiB`),
  };
}

/** Of the firewall's table, the flows that tell what the data centre does, and the way of a request before it. */
function flowsOf(plan: DataCenterPlan): readonly FlowLine[] {
  const has = (role: Role): boolean => nodesOf(plan, role).length > 0;
  const planned = [...interSegmentFlows, ...(plan.backups ? backupFlows : []), ...plan.flows].flatMap(
    ({ purpose, from, to, ports }): FlowLine[] => {
      if (purpose === "nodes and pods") return [];
      return from.flatMap((source) =>
        to.flatMap((target): FlowLine[] => {
          if (source === "api" || !has(source) || (target !== "api" && !has(target))) return [];
          return [{ purpose, from: source, to: target === "api" ? "floating-ip" : target, port: shortPorts(ports) }];
        }),
      );
    },
  );
  const inside = etcdMachinesOf(plan).length > 0 ? [] : planned.filter(({ to }) => to === "etcd");
  const api = String(plan.balancing.port);
  return [
    { purpose: "API, from this host", from: "host", to: "floating-ip", port: String(plan.hostPorts.api) },
    { purpose: "API, balanced", from: "balancer", to: "master", port: api },
    ...planned.filter((flow) => !inside.includes(flow)),
  ];
}

const shortPorts = (ports: readonly (number | string)[]): string =>
  ports.length > 3 ? `${ports.slice(0, 3).join(", ")}, …` : ports.join(", ");
