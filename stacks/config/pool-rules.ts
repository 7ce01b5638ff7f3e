import { drivers } from "../../model/drivers";
import { type PoolName, poolNames } from "../../model/roles";
import type { Configuration } from "./configuration";
import { cidr, formatCidr } from "./ipv4";
import { hasEtcdMachines, hasWitness, rolesOfPool } from "./pool-roles";
import type { Rule } from "./rules";
import { canBeCarved, layOutSegments, nodeCapacityOf } from "./segment-layout";
import { volumeRules } from "./volume-rules";

const etcdOdd: Rule = {
  reads: [["pools", "etcd", "count"]],
  check({ pools }) {
    const { count } = pools.etcd;
    if (count === 0 || count % 2 === 1) return [];
    const rule = "must be 0, 1, 3 or 5: an even number survives no more failures than one machine less";
    return [{ path: ["pools", "etcd", "count"], rule, fix: `use ${count - 1} or ${count + 1}` }];
  },
};

/** Masters keep the certificates and the identity of a cluster, so they cannot start another one on empty etcd machines. */
const noRebootstrap: Rule = {
  reads: [
    ["pools", "etcd", "count"],
    ["pools", "gateway", "roles"],
    ["options", "rebootstrap"],
  ],
  check({ pools, options }) {
    if (!options.rebootstrap || !(hasEtcdMachines(pools) || hasWitness(pools))) return [];
    const rule = "must be false with machines for etcd: the masters belong to the cluster whose data is gone";
    const fix = "restore a backup (`npx groundplane restore FILE`), or start over with `npx groundplane destroy`";
    return [{ path: ["options", "rebootstrap"], rule, fix }];
  },
};

/** kubeadm's own preflight checks refuse less, minutes later. */
const masterAtLeast = (pool: "gateway" | "masters", key: "cpus" | "memoryMiB", least: number, fix: string): Rule => ({
  reads: [
    ["pools", pool, key],
    ["pools", pool, "count"],
    ["pools", "gateway", "roles"],
  ],
  check({ pools }) {
    if (pools[pool].count === 0 || pools[pool][key] >= least) return [];
    if (!rolesOfPool(pools, pool).includes("master")) return [];
    return [{ path: ["pools", pool, key], rule: `must be at least ${least} for a control plane`, fix }];
  },
});

const diskNamesUnique = (pool: PoolName): Rule => ({
  reads: [["pools", pool, "disks"]],
  check({ pools }) {
    const names = pools[pool].disks.map((disk) => disk.name);
    return names.flatMap((name, position) => {
      const first = names.indexOf(name);
      if (first === position) return [];
      const rule = `must be unique in its pool; disks[${first}] has it already`;
      return [{ path: ["pools", pool, "disks", position, "name"], rule, fix: "give this disk another name" }];
    });
  },
});

/** Gateway, balancers and storage machines are too few to fill any segment. */
const poolFitsSegment = (pool: "masters" | "workers"): Rule => ({
  reads: [
    ["pools", pool, "count"],
    ["network", "cidr"],
  ],
  check({ pools, network }) {
    const range = cidr(network.cidr);
    if (!canBeCarved(range)) return [];
    const segment = layOutSegments(range).segments[pool];
    const capacity = nodeCapacityOf(segment);
    if (pools[pool].count <= capacity) return [];
    return [
      {
        path: ["pools", pool, "count"],
        rule: `must fit its segment: ${formatCidr(segment)} has ${capacity} addresses for nodes`,
        fix: `use ${capacity} or less, or a larger network.cidr`,
      },
    ];
  },
});

/** Pods of workers that are drained need others. */
const workersStay: Rule = {
  reads: [
    ["pools", "workers", "maxUnavailable"],
    ["pools", "workers", "count"],
  ],
  check({ pools }) {
    const { count, maxUnavailable } = pools.workers;
    if (maxUnavailable === 1 || maxUnavailable < count) return [];
    const rule = `must be less than the number of workers, which is ${count}: the pods of those that are drained move to the others`;
    const fix = count > 2 ? `use ${count - 1} or less` : "use 1";
    return [{ path: ["pools", "workers", "maxUnavailable"], rule, fix }];
  },
};

const storageCount: Rule = {
  reads: [["pools", "storage", "count"]],
  check({ pools }) {
    if (pools.storage.count !== 2) return [];
    const rule = "must be 0, 1 or 3: if two copies differ, it is unknown which is right";
    return [
      { path: ["pools", "storage", "count"], rule, fix: "use 3; `storage.volume: arbiter` needs only two copies" },
    ];
  },
};

const storageHasDisk: Rule = {
  reads: [
    ["pools", "storage", "count"],
    ["pools", "storage", "disks"],
  ],
  check({ pools }) {
    if (pools.storage.count === 0 || pools.storage.disks.length > 0) return [];
    const rule = "must name a data disk: what volumes hold outlives the machine";
    return [{ path: ["pools", "storage", "disks"], rule, fix: "write e.g. disks: [{name: brick, sizeGiB: 4}]" }];
  },
};

const memoryFitsHost: Rule = {
  reads: [["pools"], ["driver"]],
  check(configuration, host) {
    const { driver } = configuration;
    // Simulated machines need nothing of the host.
    if (driver !== "auto" && drivers[driver].simulated) return [];
    const wanted = totalMemoryMiB(configuration);
    if (host.memoryMiB === undefined || wanted <= host.memoryMiB) return [];
    return [
      {
        path: ["pools"],
        shown: `${wanted} MiB`,
        rule: `all machines together must fit the host's ${host.memoryMiB} MiB of memory`,
        fix: "lower counts or memoryMiB, or use the stack `small`",
      },
    ];
  },
};

function totalMemoryMiB({ pools }: Pick<Configuration, "pools">): number {
  return poolNames.reduce((sum, pool) => sum + pools[pool].count * pools[pool].memoryMiB, 0);
}

export const poolRules: readonly Rule[] = [
  etcdOdd,
  noRebootstrap,
  ...(["gateway", "masters"] as const).flatMap((pool) => [
    masterAtLeast(pool, "cpus", 2, "use 2 or more"),
    masterAtLeast(pool, "memoryMiB", 1_700, "use 2048"),
  ]),
  ...poolNames.map(diskNamesUnique),
  ...volumeRules(poolNames),
  ...(["masters", "workers"] as const).map(poolFitsSegment),
  workersStay,
  storageCount,
  storageHasDisk,
  memoryFitsHost,
];
