import { type AddOnName, addOnNames, addOns } from "../../model/add-ons";
import { containerRuntimes } from "../../model/container-runtimes";
import { ports, registryNodePort } from "../../model/ports";
import type { Configuration } from "./configuration";
import type { ConfigurationPath } from "./configuration-path";
import { address, cidr, contains, formatAddress, formatCidr, lastOf } from "./ipv4";
import { countOfRole, isGatewayMaster } from "./pool-roles";
import type { Finding, Rule } from "./rules";
import { canBeCarved, layOutSegments } from "./segment-layout";

/** What add-ons need of a stack. */

const pathOf = (name: AddOnName): ConfigurationPath => ["addons", name];
const asked = ({ addons }: Configuration): readonly AddOnName[] => addOnNames.filter((name) => addons[name]);

/** A rule that is about every add-on that the configuration names. */
const ofEach = (
  reads: readonly ConfigurationPath[],
  check: (configuration: Configuration, name: AddOnName) => Pick<Finding, "rule" | "fix"> | undefined,
): Rule => ({
  reads: [...addOnNames.map(pathOf), ...reads],
  check: (configuration, _host) =>
    asked(configuration).flatMap((name) => {
      const found = check(configuration, name);
      return found ? [{ path: pathOf(name), ...found }] : [];
    }),
});

const workerCounts: readonly ConfigurationPath[] = [
  ["pools", "workers", "count"],
  ["pools", "masters", "roles"],
  ["pools", "gateway", "roles"],
];

/** Their pods run on workers only. */
const needsWorkers = ofEach(workerCounts, ({ pools }, name) =>
  countOfRole(pools, "worker") > 0
    ? undefined
    : {
        rule: `must be false in a stack without workers: the pods of ${addOns[name].title} run on them`,
        fix: "use pools.workers: {count: 1}, or pools.masters: {roles: [worker]}",
      },
);

/** Images are brought to the nodes in the namespace of the kubelet's own runtime. */
const needsContainerd = ofEach([["options", "runtime"]], ({ options }, name) =>
  options.runtime === "containerd"
    ? undefined
    : {
        rule:
          `must be false with runtime: ${options.runtime}: the container image of ${addOns[name].title} is brought to ` +
          `running nodes, which ${containerRuntimes[options.runtime].title} cannot take yet`,
        fix: "remove it, or use options: {runtime: containerd}",
      },
);

/** Speakers answer in a segment, through which the gateway routes the service addresses. A gateway is in all segments. */
const announcersAreNotGateway: Rule = {
  reads: [pathOf("metallb"), ["pools", "gateway", "roles"]],
  check({ addons, pools }) {
    if (!addons.metallb || !isGatewayMaster(pools)) return [];
    const rule = "must be false where the gateway is a Node: service addresses are routed by it to another machine";
    return [
      { path: pathOf("metallb"), rule, fix: "remove it, or use masters of their own: pools.masters: {count: 1}" },
    ];
  },
};

const publishedServices = ["hostPorts", "services"];

const publishedNeedAddresses: Rule = {
  reads: [pathOf("metallb"), publishedServices],
  check({ addons, hostPorts }) {
    if (addons.metallb || hostPorts.services.length === 0) return [];
    const rule = "needs a stack whose Services have addresses";
    return [{ path: publishedServices, rule, fix: "use addons: {metallb: true}, or hostPorts.nodePorts" }];
  },
};

const publishedInRange: Rule = {
  reads: [publishedServices, ["network", "cidr"]],
  check({ hostPorts, network }) {
    const whole = cidr(network.cidr);
    if (!canBeCarved(whole)) return [];
    const range = layOutSegments(whole).serviceAddresses;
    return hostPorts.services.flatMap((service, position) => {
      if (contains(range, address(service.address))) return [];
      const rule = `must be an address for Services: in ${formatCidr(range)}`;
      const fix = `use ${formatAddress(range.network + 1)} to ${formatAddress(lastOf(range) - 1)}`;
      return [{ path: [...publishedServices, position, "address"], rule, fix }];
    });
  },
};

/** On the gateway's uplink they have the same port as on the host. */
const publishedOnFreePorts: Rule = {
  reads: [["hostPorts"]],
  check({ hostPorts: { nodePorts, registry, services } }) {
    const taken = new Map([
      [ports.api, "the API"],
      ...(registry === undefined ? [] : [[registryNodePort, "the registry"] as const]),
      ...nodePorts.map(({ nodePort }) => [nodePort, "a NodePort"] as const),
    ]);
    return services.flatMap(({ port }, position) => {
      const user = taken.get(port);
      if (user === undefined) return [];
      const rule = `must not be ${port}, which ${user} has on the gateway's uplink`;
      return [{ path: [...publishedServices, position, "port"], rule, fix: "use another port of the host" }];
    });
  },
};

/** Any worker can run it then, also after the loss of another one or of one of three storage machines. */
const registryNeedsVolume: Rule = {
  reads: [pathOf("registry"), ["pools", "storage", "count"]],
  check({ addons, pools }) {
    if (!addons.registry || pools.storage.count > 0) return [];
    const rule =
      "must be false in a stack without storage machines: images would be on one worker's disk and lost with it";
    return [
      { path: pathOf("registry"), rule, fix: "use pools.storage: {count: 3, disks: [{name: brick, sizeGiB: 20}]}" },
    ];
  },
};

const registryPort = ["hostPorts", "registry"];

const registryPortNeedsRegistry: Rule = {
  reads: [pathOf("registry"), registryPort],
  check({ addons, hostPorts }) {
    if (addons.registry || hostPorts.registry === undefined) return [];
    return [{ path: registryPort, rule: "needs a stack with a registry", fix: "use addons: {registry: true}" }];
  },
};

const registryNodePortIsFree: Rule = {
  reads: [registryPort, ["hostPorts", "nodePorts"]],
  check({ hostPorts: { registry, nodePorts } }) {
    if (registry === undefined) return [];
    return nodePorts.flatMap(({ nodePort }, position) => {
      if (nodePort !== registryNodePort) return [];
      const rule = `must not be ${nodePort}, which the registry has`;
      return [{ path: ["hostPorts", "nodePorts", position, "nodePort"], rule, fix: "use another NodePort" }];
    });
  },
};

export const addOnRules: readonly Rule[] = [
  needsWorkers,
  needsContainerd,
  announcersAreNotGateway,
  publishedNeedAddresses,
  publishedInRange,
  publishedOnFreePorts,
  registryNeedsVolume,
  registryPortNeedsRegistry,
  registryNodePortIsFree,
];
