import { addOnNames } from "../../model/add-ons";
import { type BackupsPlan, secondsOfPeriod } from "../../model/backups";
import { backupFlows, type Flow } from "../../model/flows";
import type { RotationNumbers } from "../../model/key-rotations";
import type { Configuration } from "../config/configuration";
import type { DataCenterPlan } from "./data-center-plan";
import { planSegments, planServiceAddresses, planUplink } from "./plan-addresses";
import { planBalancing } from "./plan-balancing";
import { planKubernetes } from "./plan-kubernetes";
import { domainOf } from "./plan-names";
import { planNodes } from "./plan-nodes";
import { forwardedNodePorts } from "./plan-registry";
import { planSettings } from "./plan-settings";
import { planVolume } from "./plan-volume";

function planFlows({ network, hostPorts, backups }: Configuration): readonly Flow[] {
  const nodePorts = forwardedNodePorts({ hostPorts }).map(({ nodePort }) => nodePort);
  return [
    ...network.flows.map(({ from, to, protocol, ports }) => ({
      ...{ purpose: "configured", from: [from], to: [to], protocol, ports },
    })),
    ...(backups ? backupFlows : []),
    ...(nodePorts.length === 0
      ? []
      : [
          {
            purpose: "NodePorts, from the host",
            from: ["api"],
            to: ["worker"],
            protocol: "tcp",
            ports: nodePorts,
          } as const,
        ]),
  ];
}

function planHostPorts(configuration: Configuration): DataCenterPlan["hostPorts"] {
  const { registry: _forwarded, ...hostPorts } = configuration.hostPorts;
  return { ...hostPorts, nodePorts: forwardedNodePorts(configuration) };
}

function planBackups({ every, keep }: NonNullable<Configuration["backups"]>): BackupsPlan {
  const everySeconds = secondsOfPeriod(every);
  if (everySeconds === undefined) throw new Error(`${every} is no period`);
  return { everySeconds, keep };
}

const planRotations = ({ secrets: { rotate } }: Configuration): RotationNumbers =>
  Object.fromEntries(Object.entries(rotate).filter(([, number]) => number !== undefined));

/** The whole data centre as data, from a checked configuration and nothing else. */
export function planDataCenter(configuration: Configuration): DataCenterPlan {
  const segments = planSegments(configuration.network, configuration.virtualbox.attachments, configuration.pools);
  const balancing = planBalancing(configuration, segments);
  const nodes = planNodes(configuration, segments);
  const volume = planVolume(configuration, segments, nodes);
  return {
    stack: configuration.name,
    domain: domainOf(configuration.name),
    cidr: configuration.network.cidr,
    segments,
    serviceAddresses: planServiceAddresses(configuration.network),
    nodes,
    uplink: planUplink(configuration.name, configuration.network),
    flows: planFlows(configuration),
    balancing,
    kubernetes: planKubernetes(configuration, balancing),
    distribution: configuration.distribution,
    ...(volume && { volume }),
    addOns: addOnNames.filter((name) => configuration.addons[name]),
    maxUnavailableWorkers: configuration.pools.workers.maxUnavailable,
    ...(configuration.backups && { backups: planBackups(configuration.backups) }),
    hostPorts: planHostPorts(configuration),
    keepDataDisks: configuration.options.keepDataDisks,
    rotations: planRotations(configuration),
    settings: planSettings(configuration, balancing, volume),
  };
}
