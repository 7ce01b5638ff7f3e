import * as fc from "fast-check";
import { addOnNames } from "../../model/add-ons";
import { type AuthorityName, authorityNames, reasonToKeepAuthority } from "../../model/authority-rotations";
import { balancerNames } from "../../model/balancers";
import { podSecurityLevels } from "../../model/cluster-namespaces";
import { containerRuntimeNames, defaultContainerRuntime } from "../../model/container-runtimes";
import { controlPlaneForms } from "../../model/control-planes";
import { distributions } from "../../model/distributions";
import { driverNames } from "../../model/drivers";
import { reasonToKeepCorosyncKey } from "../../model/kept-keys";
import { rotatableKeys } from "../../model/key-rotations";
import { kubeProxyModes } from "../../model/kube-proxy-modes";
import { firstNodePort, lastNodePort } from "../../model/ports";
import { kubernetesVersions } from "../../model/releases";
import type { Configuration } from "../../stacks/config/configuration";
import { formatCidr } from "../../stacks/config/ipv4";
import { parseConfiguration } from "../../stacks/config/parse-configuration";
import { hasEtcdMachines, hasWitness } from "../../stacks/config/pool-roles";

const stackName = fc.stringMatching(/^[a-z](?:[a-z0-9-]{0,18}[a-z0-9])?$/);

/** Private networks of every allowed size, on their boundary, outside the default pod and service ranges. */
const networkCidr = fc
  .record({ base: fc.constantFrom({ at: 0xac100000, prefix: 12 }, { at: 0xc0a80000, prefix: 16 }), extra: fc.nat(10) })
  .chain(({ base, extra }) => {
    const prefixLength = Math.min(22, base.prefix + extra);
    return fc
      .nat(2 ** (prefixLength - base.prefix) - 1)
      .map((slot) => formatCidr({ network: base.at + slot * 2 ** (32 - prefixLength), prefixLength }));
  });

const disk = fc.record({
  name: fc.stringMatching(/^[a-z](?:[a-z0-9-]{0,6}[a-z0-9])?$/),
  sizeGiB: fc.integer({ min: 1, max: 99 }),
});
const upToThreeDisks = { selector: ({ name }: { name: string }) => name, maxLength: 3 };
const disks = fc.uniqueArray(disk, upToThreeDisks);
const someDisks = fc.uniqueArray(disk, { ...upToThreeDisks, minLength: 1 });

const masterRoles = fc.constantFrom([], ["worker"]);

/** An odd number of masters with etcd, or any number beside machines of etcd. */
const controlPlane = fc.oneof(
  fc.record({ masters: fc.record({ count: fc.constantFrom(1, 3, 5, 7), disks, roles: masterRoles }) }),
  fc.record({
    masters: fc.record({ count: fc.integer({ min: 1, max: 7 }), disks, roles: masterRoles }),
    etcd: fc.record({ count: fc.constantFrom(1, 3, 5), disks }),
  }),
);

/** Pools that can grow by one step even in the smallest network. */
const otherPools = fc.record({
  balancers: fc.record({ count: fc.constantFrom(1, 2) }),
  workers: fc
    .record({ count: fc.nat(40), disks, most: fc.nat(40) })
    .map(({ most, ...each }) => ({ ...each, maxUnavailable: Math.max(1, Math.min(most, each.count - 1)) })),
  storage: fc.oneof(fc.constant({ count: 0 }), fc.record({ count: fc.constantFrom(1, 3), disks: someDisks })),
});

/** Masters that take the place of the balancers: one, two with the gateway's vote, or either beside machines of etcd. */
const balancingMasters = fc
  .record({
    count: fc.constantFrom(1, 2),
    roles: fc.constantFrom(["balancer"], ["balancer", "worker"]),
    disks,
    etcd: fc.constantFrom(0, 1, 3, 5),
  })
  .map(({ etcd, ...masters }) => ({
    masters,
    balancers: { count: 0 },
    ...(etcd > 0 && { etcd: { count: etcd } }),
    ...(etcd === 0 && masters.count === 2 && { gateway: { roles: ["etcd"], memoryMiB: 1024 } }),
  }));

/** The gateway's vote beside an even number of masters. */
const witnessed = fc.record({
  gateway: fc.constant({ roles: ["etcd"], memoryMiB: 1024 }),
  masters: fc.record({ count: fc.constantFrom(2, 4, 6), disks, roles: masterRoles }),
});

/** The gateway as the only master, beside machines of etcd or with its own. */
const single = fc
  .record({
    roles: fc.constantFrom(["balancer", "master"], ["balancer", "master", "worker"]),
    etcd: fc.constantFrom(0, 1, 3),
    disks,
  })
  .map(({ etcd, ...gateway }) => ({
    gateway: { ...gateway, cpus: 2, memoryMiB: 2048, diskGiB: 20 },
    balancers: { count: 0 },
    masters: { count: 0, roles: [] as string[] },
    etcd: { count: etcd },
  }));

const pools = fc
  .tuple(otherPools, fc.oneof({ arbitrary: controlPlane, weight: 3 }, balancingMasters, witnessed, single))
  .map(([other, one]) => ({ gateway: { roles: [] as string[] }, ...other, ...one }));

const storage = fc.record({ volume: fc.constantFrom("replica-3", "arbiter") });
const anyOptions = fc.record({
  failover: fc.constantFrom("fast", "calm"),
  failoverBy: fc.constantFrom("pacemaker", "keepalived"),
  balancer: fc.constantFrom(...balancerNames),
  controlPlane: fc.constantFrom(...controlPlaneForms),
  fastProbes: fc.boolean(),
  podGraceSeconds: fc.constantFrom(0, 30, 3_600),
  podSecurity: fc.constantFrom(...podSecurityLevels),
  kubeProxy: fc.constantFrom(...kubeProxyModes),
  runtime: fc.constantFrom(...containerRuntimeNames),
});
/** Services do not go with Docker. */
const options = anyOptions.map((each) => ({
  ...each,
  ...(each.controlPlane === "services" && { runtime: defaultContainerRuntime }),
}));

const nodePorts = fc.uniqueArray(fc.integer({ min: firstNodePort, max: lastNodePort }), { maxLength: 2 });

const rotation = fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined });

interface Roles {
  readonly roles: readonly string[];
}

type Rotated = Pick<Configuration, "pools" | "options" | "secrets">;

/** Without the keys that such a stack keeps. */
function rotatedKeys({ pools, options, secrets }: Rotated): Configuration["secrets"] {
  const form = { hasMachines: hasEtcdMachines(pools), hasWitness: hasWitness(pools), hasGivenAuthority: false };
  const isKept = (name: AuthorityName) =>
    reasonToKeepAuthority(name, { controlPlane: options.controlPlane, ...form }) !== undefined;
  const kept: readonly string[] = [
    ...authorityNames.filter(isKept),
    ...(reasonToKeepCorosyncKey(pools.balancers.count) ? ["corosync-key"] : []),
  ];
  const rotate = Object.fromEntries(Object.entries(secrets.rotate).filter(([name]) => !kept.includes(name)));
  return { ...secrets, rotate };
}

/** NodePorts need a machine that runs pods. */
const hostPortsOf = (
  { gateway, masters, workers }: Record<"gateway" | "masters", Roles> & { workers: { count: number } },
  ports: number[],
) =>
  workers.count === 0 && ![...gateway.roles, ...masters.roles].includes("worker")
    ? {}
    : { nodePorts: ports.map((nodePort, index) => ({ port: 9_000 + index, nodePort })) };

const addons = fc.record(Object.fromEntries(addOnNames.map((name) => [name, fc.boolean()])));

/** Add-ons need workers with containerd, MetalLB a gateway that is no Node, and the registry the shared volume. */
const addOnsOf = (
  {
    gateway,
    masters,
    workers,
    storage,
  }: Record<"gateway" | "masters", Roles> & Record<"workers" | "storage", { count: number }>,
  { runtime }: { readonly runtime: string },
  asked: Readonly<Record<string, boolean>>,
) => {
  const hasWorkers = workers.count > 0 || [...gateway.roles, ...masters.roles].includes("worker");
  if (!hasWorkers || runtime !== defaultContainerRuntime) return {};
  return {
    ...asked,
    ...(gateway.roles.includes("master") && { metallb: false }),
    ...(storage.count === 0 && { registry: false }),
  };
};

/** Configurations that users can write and that pass every rule. */
export const validConfiguration: fc.Arbitrary<Configuration> = fc
  .record({
    stack: stackName,
    ports: nodePorts,
    addons,
    written: fc.record({
      ...{ driver: fc.constantFrom("auto", ...driverNames), distribution: fc.constantFrom(...distributions) },
      kubernetesVersion: fc.constantFrom(...kubernetesVersions),
      backups: fc.option(
        fc.record({ every: fc.constantFrom("5m", "6h", "30d"), keep: fc.integer({ min: 1, max: 1_000 }) }),
        {
          nil: undefined,
        },
      ),
      secrets: fc.record({ rotate: fc.record(Object.fromEntries(rotatableKeys.map((key) => [key, rotation]))) }),
      ...{ pools, storage, network: fc.record({ cidr: networkCidr }), options },
    }),
  })
  .map(({ stack, ports, addons: asked, written }) => {
    const hostPorts = hostPortsOf(written.pools, ports);
    const addOns = addOnsOf(written.pools, written.options, asked);
    const parse = (secrets: object): Configuration => {
      const { configuration, problems } = parseConfiguration(
        { ...written, secrets, hostPorts, addons: addOns },
        { stack },
      );
      if (configuration === undefined) throw new Error(`should be valid: ${JSON.stringify(problems, null, 2)}`);
      return configuration;
    };
    return parse(rotatedKeys({ ...parse({}), secrets: written.secrets }));
  });

/** Two configurations of one stack. Keys that are fixed when it is created do not differ, because almost all pairs would be refused. */
export const changedConfiguration = fc
  .tuple(validConfiguration, validConfiguration)
  .map(([before, other]): readonly [Configuration, Configuration] => {
    const { name, driver, distribution, kubernetesVersion, network, floatingIp, storage } = before;
    const fixed = { name, driver, distribution, kubernetesVersion, network, floatingIp, storage };
    const options = { ...other.options, runtime: before.options.runtime, controlPlane: before.options.controlPlane };
    const secrets = rotatedKeys({ pools: other.pools, options, secrets: before.secrets });
    return [before, { ...other, ...fixed, options, secrets }];
  });
