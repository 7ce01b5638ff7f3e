import { type KeyChange, live } from "./key-changes";

/**
 * Programs of the cluster that a stack has only if its configuration names them. A row here has a folder of its own in
 * cloud-init/files/kubernetes/add-ons, and its versions in releases.ts.
 */
export const addOnNames = ["metrics-server", "metallb", "registry"] as const;

export type AddOnName = (typeof addOnNames)[number];

/**
 * What an add-on uses. Memory and processor time are those that it adds on all machines of an idle cluster with two workers. The figures are measured
 * by hand when a row is added; test/topologies/add-ons.test.ts prints the sum of memory and cores of all add-ons.
 */
export interface AddOnCost {
  /** Absent: not measured yet. */
  readonly memoryMiB?: number;
  /** Of a core. Absent: not measured yet. */
  readonly cores?: number;
  /** Of the container image on each worker, as it is stored and unpacked. Absent: not measured yet. */
  readonly imageMiB?: number;
  /** Processor time to build its programs without a cache. Only the first stack of a host that asks for it waits for them. */
  readonly buildSeconds: number;
}

export interface AddOn {
  readonly title: string;
  /** What users get, as the rest of "It gives …". */
  readonly gives: string;
  readonly cost: AddOnCost;
}

export const addOns: Readonly<Record<AddOnName, AddOn>> = {
  "metrics-server": {
    title: "metrics-server",
    gives: "`kubectl top`, and autoscaling by processor time and memory",
    cost: { memoryMiB: 82, cores: 0.01, imageMiB: 136, buildSeconds: 221 },
  },
  metallb: {
    title: "MetalLB",
    gives: "addresses for Services of type LoadBalancer, which all segments reach",
    cost: { memoryMiB: 83, cores: 0.03, imageMiB: 248, buildSeconds: 195 },
  },
  registry: {
    title: "CNCF Distribution",
    gives: "a registry of container images on the shared volume, for `npx groundplane image push` and other clients",
    cost: { buildSeconds: 96 },
  },
};

const change = (name: AddOnName) =>
  ({
    class: "live",
    effect: `Workers get the container image of ${addOns[name].title}, and the cluster its objects; or both are removed.`,
    formerly: "false",
  }) as const satisfies KeyChange;

/** What a change of each key means, and of those that only stacks with an add-on have. */
export const addOnChanges = {
  "addons.metrics-server": change("metrics-server"),
  "addons.metallb": change("metallb"),
  "addons.registry": {
    class: "live",
    effect:
      "Workers get the container image of the registry, all nodes of the cluster trust it, and the cluster has its objects; or it is removed with its claim, " +
      "and all images in it are deleted.",
    formerly: "false",
  },
  "hostPorts.registry": {
    class: "rolling",
    effect: "The gateway's port forwards change, and balancers reload, one after the other.",
    formerly: "none",
  },
  "hostPorts.services[].port": live("The gateway's port forwards change."),
  "hostPorts.services[].address": live("The gateway's port forwards change."),
  "hostPorts.services[].servicePort": live("The gateway's port forwards change."),
} as const satisfies Readonly<Record<`addons.${AddOnName}`, KeyChange>> & Readonly<Record<string, KeyChange>>;
