import { addOnChanges } from "./add-ons";
import { defaultBalancer } from "./balancers";
import { defaultContainerRuntime } from "./container-runtimes";
import { defaultControlPlane } from "./control-planes";
import { beginsOrEnds, fixed, isSame, type KeyChange, live, newStack, smaller, valueIs } from "./key-changes";
import { anotherRelease } from "./release-changes";
import { rotation } from "./rotation-change";

const firewallFollows = live("The gateway's firewall follows it.");
const balancersStay = "Balancers do not move to other machines.";

/**
 * Every key of the configuration by path; `<pool>` is any pool that has no row of its own. The guard records the values with the
 * stack and judges a change by its row.
 */
export const configurationChanges = {
  driver: fixed("Machines do not move between hypervisors.", newStack),
  kubernetesVersion: anotherRelease,
  distribution: fixed("It is part of the image of all machines.", newStack),
  "pools.gateway.count": fixed("There is always one gateway."),
  "pools.gateway.roles[]": {
    ...fixed("With them, it is made of another image and keeps the cluster's data.", newStack),
    ...{ formerly: "none", isSet: true },
  },
  "pools.balancers.count": {
    class: "rolling",
    effect:
      "A single balancer hands the floating IP to what moves it in a pair, or takes it over before the other one is removed.",
    cases: [{ ...beginsOrEnds, ...fixed(balancersStay, newStack), guardedBy: "members" }],
  },
  "pools.masters.count": {
    class: "rolling",
    effect: "Masters join and leave one at a time; balancers reload.",
  },
  "pools.masters.roles[]": {
    ...live("Masters are opened to pods, or drained; they mount or release the volume."),
    isSet: true,
    cases: [{ ...valueIs("balancer"), ...fixed(balancersStay, newStack), guardedBy: "members" }],
  },
  "pools.etcd.count": {
    class: "rolling",
    effect: "Members of etcd join and leave one at a time.",
    cases: [
      {
        ...beginsOrEnds,
        ...fixed("The data of etcd does not move between masters and machines of its own.", newStack),
        guardedBy: "members",
      },
    ],
  },
  "pools.workers.count": live("Workers join at once, or are drained and leave."),
  "pools.workers.maxUnavailable": { ...live("The next image that workers get obeys it."), formerly: "1" },
  "pools.storage.count": {
    ...fixed("The volume has one copy on each of them."),
    guardedBy: "members",
    cases: [
      {
        ...{ when: "from 0", holds: (before) => before === undefined },
        ...live("Storage machines are created, and machines that run pods mount their volume."),
      },
    ],
  },
  "pools.<pool>.cpus": { ...live("The pool's machines get them."), restart: "resizesLive" },
  "pools.<pool>.memoryMiB": {
    ...live("The pool's machines get it."),
    less: "Processes that do not fit any more are ended.",
    restart: "resizesLive",
  },
  "pools.<pool>.diskGiB": {
    ...live("System disks grow, in system containers at the next start."),
    restart: "growsLive",
    cases: [{ ...smaller, ...fixed("System disks do not shrink.", "recreate the machines"), guardedBy: "disks" }],
  },
  "pools.<pool>.volumes.<mount point>": {
    ...live("Volumes grow, except in system containers, which have none."),
    cases: [
      {
        ...{ ...smaller, ...fixed("Volumes do not shrink.", "recreate the machines") },
        ...{ guardedBy: "disks", form: "disk" },
      },
    ],
  },
  "pools.<pool>.disks[].name": {
    class: "rolling",
    effect:
      "Disks are attached and detached. A removed disk is kept on the host, unless options.keepDataDisks is false.",
    restart: "always",
  },
  "pools.storage.disks[0].name": fixed("The first disk of storage machines holds the volume."),
  "pools.<pool>.disks[].sizeGiB": {
    ...live("Data disks grow."),
    restart: "growsLive",
    cases: [
      {
        ...{ when: smaller.when, ...fixed("Data disks do not shrink.", "give the disk another name") },
        ...{ guardedBy: "disks", holds: (before, after, at) => smaller.holds(before, after) && isSame(at("name")) },
      },
    ],
  },
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
  ...{ "network.flows[].from": firewallFollows, "network.flows[].to": firewallFollows },
  ...{ "network.flows[].protocol": firewallFollows, "network.flows[].ports[]": firewallFollows },
  floatingIp: {
    ...fixed("All nodes reach the API there, and its certificates contain it."),
    ...{ follows: "network.cidr", inFiles: "controlPlaneEndpoint" },
  },
  "hostPorts.api": live("The gateway's port forwards change. The kubeconfig contains the port: get it again."),
  "hostPorts.ssh": live("The gateway's port forwards change."),
  "hostPorts.nodePorts[].port": live("The gateway's port forwards change."),
  "hostPorts.nodePorts[].nodePort": { class: "rolling", effect: "Balancers reload, one after the other." },
  ...addOnChanges,
  "backups.every": live("The masters' timers follow it."),
  "backups.keep": live("The next backup removes what is beyond it."),
  "secrets.authority.certificate": {
    ...{ ...fixed("All nodes and pods trust the cluster's authority.", newStack), formerly: "none" },
  },
  "secrets.authority.key": {
    ...fixed("It is read when the stack is created.", newStack),
    ...{ formerly: "none", follows: "secrets.authority.certificate" },
  },
  "secrets.rotate.administrator": rotation("administrator"),
  "secrets.rotate.ssh-user-key": rotation("ssh-user-key"),
  "secrets.rotate.ssh-host-keys": rotation("ssh-host-keys"),
  "secrets.rotate.etcd-ca": rotation("etcd-ca"),
  "secrets.rotate.kubernetes-ca": rotation("kubernetes-ca"),
  "secrets.rotate.front-proxy-ca": rotation("front-proxy-ca"),
  "secrets.rotate.corosync-key": rotation("corosync-key"),
  "secrets.rotate.encryption-key": rotation("encryption-key"),
  "secrets.rotate.service-account-key": rotation("service-account-key"),
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
