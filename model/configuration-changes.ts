import { defaultBalancer } from "./balancers";
import type { Change } from "./change-classes";
import { defaultContainerRuntime } from "./container-runtimes";
import { defaultControlPlane } from "./control-planes";
import type { GuestCommand } from "./guest-paths";
import type { Settings } from "./resource-types";

/** What can be done where a key cannot change. */
export interface KeyChange extends Change {
  /** The next step of a refusal, besides keeping the former value; of `creation-only` keys. */
  readonly instead?: string;
  /** Another key that changes this one, so that only the other one is reported. */
  readonly follows?: string;
  /** What a smaller number means in addition, which is a risk even while machines run. */
  readonly less?: string;
  /** The guard compares machines or the volume, which are known without a record of the configuration. */
  readonly guardedBy?: "members";
  /** Name of the value in the files of nodes, where a stack of an earlier version has it only there. */
  readonly inFiles?: string;
  /** The value of a stack that has none. */
  readonly formerly?: string;
  /** The command of a node that applies the change. It gets the values of all such keys by their names in files. */
  readonly appliedBy?: GuestCommand;
  /** Nodes with different values do not work together: in between, one need not be ready. */
  readonly isShared?: true;
}

const startOver = "start over: `npx groundplane destroy` keeps the data disks";
const newStack = "create another stack with it";

const fixed = (effect: string, instead = startOver): KeyChange => ({ class: "creation-only", effect, instead });
const live = (effect: string): KeyChange => ({ class: "live", effect });

/**
 * Every key of the configuration by path; `<pool>` is any pool that has no row of its own. The guard records the values with the
 * stack and judges a change by its row.
 */
export const configurationChanges = {
  driver: fixed("Machines do not move between hypervisors.", newStack),
  kubernetesVersion: fixed("It is part of the image of all masters and workers."),
  distribution: fixed("It is part of the image of all machines.", newStack),
  "pools.gateway.count": fixed("There is always one gateway."),
  "pools.gateway.roles[]": {
    ...fixed("With etcd it is a member of etcd, made of another image.", newStack),
    formerly: "none",
  },
  "pools.balancers.count": {
    class: "rolling",
    effect:
      "A single balancer hands the floating IP to what moves it in a pair, or takes it over before the other one is removed.",
  },
  "pools.masters.count": {
    class: "rolling",
    effect: "Masters join and leave one at a time; balancers reload.",
  },
  "pools.masters.roles[]": live("Masters are opened to pods, or drained; they mount or release the volume."),
  "pools.etcd.count": {
    ...fixed(
      "The data of etcd does not move between masters and machines of its own. Between 1, 3 and 5, members join and leave one at a time.",
    ),
    guardedBy: "members",
  },
  "pools.workers.count": live("Workers join at once, or are drained and leave."),
  "pools.storage.count": {
    ...fixed("The volume has one copy on each of them. A stack without storage may get it later."),
    guardedBy: "members",
  },
  "pools.<pool>.cpus": { ...live("The pool's machines get them."), restart: "resizesLive" },
  "pools.<pool>.memoryMiB": {
    ...live("The pool's machines get it."),
    less: "Processes that do not fit any more are ended.",
    restart: "resizesLive",
  },
  "pools.<pool>.diskGiB": {
    ...live("System disks grow, in system containers at the next start. A smaller size is refused."),
    restart: "growsLive",
  },
  "pools.<pool>.volumes.<mount point>": live("Volumes grow. A smaller size is refused."),
  "pools.<pool>.disks[].name": {
    class: "rolling",
    effect:
      "Disks are attached and detached. A removed disk is kept on the host, unless options.keepDataDisks is false.",
    restart: "always",
  },
  "pools.storage.disks[0].name": fixed("The first disk of storage machines holds the volume."),
  "pools.<pool>.disks[].sizeGiB": { ...live("Data disks grow. A smaller size is refused."), restart: "growsLive" },
  "storage.volume": {
    ...fixed("The volume's data would have to be copied."),
    guardedBy: "members",
  },
  "network.cidr": fixed("All machines have their addresses in it."),
  "network.podCidr": {
    ...fixed("Each node has its range for pods in it, and all pods have their addresses there."),
    inFiles: "podSubnet",
  },
  "network.serviceCidr": {
    ...fixed("All services have their addresses in it, and the API's certificates contain the first one."),
    inFiles: "serviceSubnet",
  },
  "network.reachable[]": live(
    "The gateway's firewall and its uplink follow it. The uplink of system containers restarts, which ends its connections.",
  ),
  "network.flows[].from": live("The gateway's firewall follows it."),
  "network.flows[].to": live("The gateway's firewall follows it."),
  "network.flows[].protocol": live("The gateway's firewall follows it."),
  "network.flows[].ports[]": live("The gateway's firewall follows it."),
  floatingIp: {
    ...fixed("All nodes reach the API there, and its certificates contain it."),
    ...{ follows: "network.cidr", inFiles: "controlPlaneEndpoint" },
  },
  "hostPorts.api": live("The gateway's port forwards change. The kubeconfig contains the port: get it again."),
  "hostPorts.ssh": live("The gateway's port forwards change."),
  "hostPorts.nodePorts[].port": live("The gateway's port forwards change."),
  "hostPorts.nodePorts[].nodePort": { class: "rolling", effect: "Balancers reload, one after the other." },
  "options.failover": {
    class: "rolling",
    effect: "Balancers reload, and each master's control plane restarts, one node after the other.",
  },
  "options.failoverBy": {
    class: "rolling",
    effect: "One balancer after the other runs the other program; the floating IP is away as long as after a failure.",
    ...{ inFiles: "FLOATING_IP_BY", appliedBy: "change-balancing", isShared: true },
  },
  "options.balancer": {
    class: "rolling",
    effect: "One balancer after the other runs the other program; open connections end.",
    ...{ inFiles: "BALANCER", appliedBy: "change-balancing", formerly: defaultBalancer },
  },
  "options.controlPlane": { ...fixed("Masters would restart in the other form."), formerly: defaultControlPlane },
  "options.fastProbes": {
    class: "rolling",
    effect:
      "CoreDNS's pods are replaced one after the other. Masters that are created later have it; running control planes " +
      "keep their probes.",
  },
  "options.kubeProxy": {
    class: "rolling",
    effect: "Each node's kube-proxy restarts, one after the other, and replaces the rules of the former mode.",
  },
  "options.runtime": { ...fixed("It is part of the image of Nodes.", newStack), formerly: defaultContainerRuntime },
  "options.podGraceSeconds": live("The next stop, reboot or replacement of a node obeys it."),
  "options.podSecurity": {
    class: "rolling",
    effect: "Each master's API server restarts, one after the other. Running pods stay; new pods obey it.",
  },
  "options.rebootstrap": live("The next `up` reads it."),
  "options.protected": live("The next `verify` reads it."),
  "options.keepDataDisks": live(
    "Data disks that are removed after the next `up`, also by `destroy`, are kept, or deleted with their data.",
  ),
  "virtualbox.attachments[].segment": live("Network cards are connected to other networks while machines run."),
  "virtualbox.attachments[].to": live("Network cards are connected to other networks while machines run."),
  "virtualbox.attachments[].adapter": live("Network cards are connected to other networks while machines run."),
} as const satisfies Readonly<Record<string, KeyChange>>;

export const rows: Readonly<Record<string, KeyChange>> = configurationChanges;

/** The row of a path, e.g. that of `pools.workers.disks[1].sizeGiB`; undefined for a key of another version. */
export function changeOfKey(path: string): KeyChange | undefined {
  const inAnyPlace = path.replaceAll(/\[\d+\]/g, "[]").replace(/\.volumes\..*$/, ".volumes.<mount point>");
  const spellings = [path, inAnyPlace, inAnyPlace.replace(/^pools\.[a-z]+\./, "pools.<pool>.")];
  return spellings.map((spelling) => rows[spelling]).find((row) => row !== undefined);
}

/** The values of fixed keys in the texts of a node's files; an address there may have a port. */
export function settingsInFiles(texts: readonly string[]): Settings {
  const found = Object.entries(rows).flatMap(([key, { inFiles }]) => {
    const line = inFiles === undefined ? undefined : new RegExp(`^ *${inFiles}[:=] *["']?([^"'\\n:]*)`, "m");
    return texts.flatMap((text) => (line?.exec(text) ?? []).slice(1).map((value) => [key, value] as const));
  });
  return Object.fromEntries(found);
}

export interface SettingChange {
  readonly key: string;
  /** `undefined`: without effect, e.g. a key of a pool without machines. */
  readonly before: string | undefined;
  readonly after: string | undefined;
  readonly change: KeyChange;
}

/** Everything that differs between two configurations. */
export function changedSettings(before: Settings, after: Settings): readonly SettingChange[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return keys.flatMap((key) => {
    const change = changeOfKey(key);
    const [old, now] = [before[key] ?? change?.formerly, after[key] ?? change?.formerly];
    return old === now || change === undefined ? [] : [{ key, before: old, after: now, change }];
  });
}
