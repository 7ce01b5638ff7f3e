import type { configurationChanges } from "../../model/configuration-changes";
import { kubernetesVersions } from "../../model/releases";
import { from as beforeUpgrade, to as newest } from "./upgrade-step";

/** A stack on the fake driver with machines of every kind. */
export const classedStack = {
  driver: "fake",
  pools: {
    balancers: { count: 2 },
    masters: { count: 3 },
    workers: { count: 1, disks: [{ name: "data", sizeGiB: 1 }] },
    storage: { count: 3, disks: [{ name: "brick", sizeGiB: 1 }] },
  },
};

export interface ChangedKey {
  /** The change of the stack before; absent: none. */
  readonly from?: object;
  /** Changes this key only. */
  readonly to: object;
  /** A refusal says it; absent: the change is applied. */
  readonly refused?: RegExp;
  /** Who refuses it, unless the guard does: the schema or the choice of the driver, the machine or its disk, or the keys. */
  readonly refusedBy?: "program" | "disks" | "keys";
}

const pool = (name: string, change: object) => ({ pools: { [name]: change } });
const flow = { network: { flows: [{ from: "worker", to: "storage", protocol: "udp", ports: [9100] }] } };
const rotated = (number: number) => ({
  secrets: {
    rotate: {
      ...{ administrator: number, "ssh-user-key": number, "etcd-ca": number },
      ...{ "front-proxy-ca": number, "corosync-key": number, "kubernetes-ca": number, "ssh-host-keys": number },
    },
  },
});
const published = (port: number, address = "192.168.62.6", servicePort = 80) => ({
  ...{ addons: { metallb: true }, hostPorts: { services: [{ port, address, servicePort }] } },
});
const attachment = { virtualbox: { attachments: [{ segment: "dmz", to: "host" }] } };

const oldest = kubernetesVersions.at(-1) ?? "";

/** One real change for every row of the table of configuration keys. */
export const changedKeys: Readonly<Record<keyof typeof configurationChanges, ChangedKey>> = {
  driver: {
    ...{ to: { driver: "nspawn" }, refusedBy: "program" },
    refused: /classed exists on fake, but the configuration says nspawn/,
  },
  kubernetesVersion: { from: { kubernetesVersion: beforeUpgrade }, to: { kubernetesVersion: newest } },
  // There is one gateway.
  "pools.gateway.count": {
    ...{ to: pool("gateway", { count: 2 }), refusedBy: "program" },
    refused: /pools\.gateway\.count: 2/,
  },
  "pools.gateway.roles[]": {
    to: { pools: { gateway: { roles: ["etcd"], memoryMiB: 1024 }, masters: { count: 4 } } },
    refused: /pools\.gateway\.roles\[0\]: none cannot become etcd/,
  },
  distribution: { to: { distribution: "ubuntu" }, refused: /distribution: debian cannot become ubuntu/ },
  "pools.balancers.count": {
    from: pool("balancers", { count: 1 }),
    to: pool("balancers", { count: 2 }),
  },
  "pools.etcd.count": { from: pool("etcd", { count: 3 }), to: pool("etcd", { count: 5 }) },
  "pools.storage.count": {
    to: pool("storage", { count: 1 }),
    refused: /there would be 1 storage machines for a volume of 3; keep at least 3 \(pools\.storage\.count\)/,
  },
  "pools.storage.disks[0].name": {
    to: pool("storage", { disks: [{ name: "other", sizeGiB: 1 }] }),
    refused: /pools\.storage\.disks\[0\]\.name: brick cannot become other/,
  },
  "storage.volume": {
    to: { storage: { volume: "arbiter" } },
    refused: /the volume is replica-3 and cannot become arbiter.*keep its shape \(storage\.volume: replica-3\)/,
  },
  "network.cidr": {
    to: { network: { cidr: "192.168.64.0/21" } },
    refused: /network\.cidr: 192\.168\.56\.0\/21 cannot become 192\.168\.64\.0\/21/,
  },
  "network.podCidr": {
    to: { network: { podCidr: "10.99.0.0/16" } },
    refused: /network\.podCidr: 10\.244\.0\.0\/16 cannot become 10\.99\.0\.0\/16.*start over/,
  },
  "network.serviceCidr": {
    to: { network: { serviceCidr: "10.100.0.0/16" } },
    refused: /network\.serviceCidr: 10\.96\.0\.0\/16 cannot become 10\.100\.0\.0\/16/,
  },
  floatingIp: {
    to: { floatingIp: "192.168.56.9" },
    refused: /floatingIp: 192\.168\.56\.10 cannot become 192\.168\.56\.9/,
  },
  "options.failoverBy": {
    to: { options: { failoverBy: "keepalived" } },
  },
  "options.balancer": { to: { options: { balancer: "nginx" } } },
  "pools.masters.count": { to: pool("masters", { count: 5 }) },
  "pools.masters.roles[]": { to: pool("masters", { roles: ["worker"] }) },
  "pools.workers.count": { to: pool("workers", { count: 3 }) },
  "pools.workers.maxUnavailable": {
    from: pool("workers", { count: 3 }),
    to: pool("workers", { count: 3, maxUnavailable: 2 }),
  },
  "pools.<pool>.cpus": { to: pool("workers", { cpus: 3 }) },
  "pools.<pool>.memoryMiB": { to: pool("workers", { memoryMiB: 3072 }) },
  "pools.<pool>.diskGiB": { to: pool("workers", { diskGiB: 40 }) },
  "pools.<pool>.volumes.<mount point>": { to: pool("workers", { volumes: { "/var": 12 } }) },
  "pools.<pool>.disks[].name": {
    to: pool("workers", {
      disks: [
        { name: "data", sizeGiB: 1 },
        { name: "more", sizeGiB: 1 },
      ],
    }),
  },
  "pools.<pool>.disks[].sizeGiB": { to: pool("storage", { disks: [{ name: "brick", sizeGiB: 2 }] }) },
  "network.reachable[]": { to: { network: { reachable: ["192.168.1.0/24"] } } },
  "network.flows[].from": { to: flow },
  "network.flows[].to": { to: flow },
  "network.flows[].protocol": { to: flow },
  "network.flows[].ports[]": { to: flow },
  "hostPorts.api": { to: { hostPorts: { api: 20_001 } } },
  "hostPorts.ssh": { to: { hostPorts: { ssh: 20_002 } } },
  "hostPorts.services[].port": { from: published(20_005), to: published(20_006) },
  "hostPorts.services[].address": { from: published(20_005), to: published(20_005, "192.168.62.7") },
  "hostPorts.services[].servicePort": { from: published(20_005), to: published(20_005, "192.168.62.6", 8_080) },
  "hostPorts.registry": {
    from: { addons: { registry: true } },
    to: { addons: { registry: true }, hostPorts: { registry: 20_004 } },
  },
  "hostPorts.nodePorts[].port": { to: { hostPorts: { nodePorts: [{ port: 20_003, nodePort: 30_080 }] } } },
  "hostPorts.nodePorts[].nodePort": { to: { hostPorts: { nodePorts: [{ port: 20_003, nodePort: 30_080 }] } } },
  "secrets.authority.certificate": {
    to: { secrets: { authority: { certificate: "./ca.crt", key: "./ca.key" } } },
    refused: /secrets\.authority\.certificate: none cannot become \.\/ca\.crt.*create another stack/,
  },
  "secrets.authority.key": {
    to: { secrets: { authority: { certificate: "./ca.crt", key: "./ca.key" } } },
    refused: /secrets\.authority\.certificate: none cannot become \.\/ca\.crt/,
  },
  "addons.metrics-server": { to: { addons: { "metrics-server": true } } },
  "addons.metallb": { to: { addons: { metallb: true } } },
  "addons.registry": { to: { addons: { registry: true } } },
  "backups.every": { from: { backups: {} }, to: { backups: { every: "12h" } } },
  "backups.keep": { from: { backups: {} }, to: { backups: { keep: 7 } } },
  "secrets.rotate.administrator": { to: { secrets: { rotate: { administrator: 2 } } } },
  "secrets.rotate.ssh-host-keys": { to: { secrets: { rotate: { "ssh-host-keys": 1 } } } },
  "secrets.rotate.ssh-user-key": { to: { secrets: { rotate: { "ssh-user-key": 1 } } } },
  "secrets.rotate.etcd-ca": { to: { secrets: { rotate: { "etcd-ca": 1 } } } },
  "secrets.rotate.kubernetes-ca": { to: { secrets: { rotate: { "kubernetes-ca": 1 } } } },
  "secrets.rotate.front-proxy-ca": { to: { secrets: { rotate: { "front-proxy-ca": 1 } } } },
  "secrets.rotate.corosync-key": { to: { secrets: { rotate: { "corosync-key": 1 } } } },
  "secrets.rotate.encryption-key": { to: { secrets: { rotate: { "encryption-key": 1 } } } },
  "secrets.rotate.service-account-key": { to: { secrets: { rotate: { "service-account-key": 1 } } } },
  "options.failover": { to: { options: { failover: "calm" } } },
  "options.controlPlane": {
    // Only a single master has services.
    from: pool("masters", { count: 1 }),
    to: { options: { controlPlane: "services" }, ...pool("masters", { count: 1 }) },
    refused: /options\.controlPlane: static-pods cannot become services.*start over/,
  },
  "options.fastProbes": { to: { options: { fastProbes: true } } },
  "options.kubeProxy": { to: { options: { kubeProxy: "iptables" } } },
  "options.runtime": {
    to: { options: { runtime: "docker" } },
    refused: /options\.runtime: containerd cannot become docker.*another stack/,
  },
  "options.podGraceSeconds": { to: { options: { podGraceSeconds: 60 } } },
  "options.podSecurity": { to: { options: { podSecurity: "restricted" } } },
  "options.rebootstrap": { to: { options: { rebootstrap: true } } },
  "options.protected": { to: { options: { protected: true } } },
  "options.keepDataDisks": { to: { options: { keepDataDisks: false } } },
  // Only on VirtualBox.
  "virtualbox.attachments[].segment": { to: { driver: "virtualbox", ...attachment } },
  "virtualbox.attachments[].to": { to: { driver: "virtualbox", ...attachment } },
  "virtualbox.attachments[].adapter": {
    to: { driver: "virtualbox", virtualbox: { attachments: [{ segment: "dmz", to: "adapter", adapter: "eth0" }] } },
  },
};

type Rows = typeof configurationChanges;
/** The cases of all rows, as `KEY: CASE`. */
type CaseName = {
  [Key in keyof Rows]: Rows[Key] extends { readonly cases: readonly { readonly when: infer When extends string }[] }
    ? `${Key}: ${When}`
    : never;
}[keyof Rows];

const mastersBalance = {
  pools: {
    balancers: { count: 0 },
    masters: { count: 2, roles: ["balancer"] },
    gateway: { roles: ["etcd"], memoryMiB: 1024 },
  },
};
const balancersMove = /balancer-1(?:, balancer-2)? would go, and no other balancer is at work.*create another stack/;

/** One real change for every case of a key whose class depends on the values. */
export const changedValues: Readonly<Record<CaseName, ChangedKey>> = {
  "kubernetesVersion: older": {
    from: { kubernetesVersion: newest },
    to: { kubernetesVersion: beforeUpgrade },
    refused: /kubernetesVersion: .*have no downgrade.*another stack/,
  },
  "kubernetesVersion: skips a minor version": {
    from: { kubernetesVersion: oldest },
    to: { kubernetesVersion: newest },
    refused: /kubernetesVersion: .*to the next, without skipping any: the next one is .*another stack/,
  },
  "pools.balancers.count: to or from 0": { to: mastersBalance, refused: balancersMove },
  "pools.masters.roles[]: `balancer`": { to: mastersBalance, refused: balancersMove },
  "pools.etcd.count: to or from 0": {
    to: pool("etcd", { count: 3 }),
    refused:
      /the cluster's data is on master-1, master-2, master-3 and cannot move to machines for etcd; keep pools\.etcd\.count: 0/,
  },
  "pools.storage.count: from 0": { from: pool("storage", { count: 0 }), to: pool("storage", { count: 3 }) },
  "pools.<pool>.diskGiB: smaller": {
    ...{ to: pool("workers", { diskGiB: 15 }), refusedBy: "disks" },
    refused: /the disk of worker-1 has 20 GiB and cannot shrink to 15 GiB/,
  },
  "pools.<pool>.volumes.<mount point>: smaller": {
    from: { driver: "qemu", ...pool("workers", { volumes: { "/var": 12 } }) },
    ...{ to: { driver: "qemu", ...pool("workers", { volumes: { "/var": 11 } }) }, refusedBy: "disks" },
    refused: /\/var of worker-1 has 12288 MiB and cannot shrink to 11264 MiB/,
  },
  "pools.<pool>.disks[].sizeGiB: smaller": {
    from: pool("workers", { disks: [{ name: "data", sizeGiB: 2 }] }),
    ...{ to: pool("workers", { disks: [{ name: "data", sizeGiB: 1 }] }), refusedBy: "disks" },
    refused: /disk worker-1-data has 2 GiB and cannot shrink to 1 GiB/,
  },
  "secrets.rotate.administrator: smaller": {
    refusedBy: "keys",
    ...{ from: rotated(2), to: { secrets: { rotate: { administrator: 1 } } } },
    refused:
      /secrets\.rotate\.administrator: 2 cannot become 1: .*does not come back.*raise it to replace the key again/,
  },
  "secrets.rotate.ssh-host-keys: smaller": {
    refusedBy: "keys",
    ...{ from: rotated(2), to: { secrets: { rotate: { "ssh-host-keys": 1 } } } },
    refused: /secrets\.rotate\.ssh-host-keys: 2 cannot become 1: .*does not come back/,
  },
  "secrets.rotate.ssh-user-key: smaller": {
    refusedBy: "keys",
    ...{ from: rotated(2), to: { secrets: { rotate: { "ssh-user-key": 1 } } } },
    refused: /secrets\.rotate\.ssh-user-key: 2 cannot become 1: .*does not come back/,
  },
  "secrets.rotate.etcd-ca: smaller": {
    refusedBy: "keys",
    ...{ from: rotated(2), to: { secrets: { rotate: { "etcd-ca": 1 } } } },
    refused: /secrets\.rotate\.etcd-ca: 2 cannot become 1: .*does not come back/,
  },
  "secrets.rotate.kubernetes-ca: smaller": {
    refusedBy: "keys",
    ...{ from: rotated(2), to: { secrets: { rotate: { "kubernetes-ca": 1 } } } },
    refused: /secrets\.rotate\.kubernetes-ca: 2 cannot become 1: .*does not come back/,
  },
  "secrets.rotate.front-proxy-ca: smaller": {
    refusedBy: "keys",
    ...{ from: rotated(2), to: { secrets: { rotate: { "front-proxy-ca": 1 } } } },
    refused: /secrets\.rotate\.front-proxy-ca: 2 cannot become 1: .*does not come back/,
  },
  "secrets.rotate.corosync-key: smaller": {
    refusedBy: "keys",
    ...{ from: rotated(2), to: { secrets: { rotate: { "corosync-key": 1 } } } },
    refused: /secrets\.rotate\.corosync-key: 2 cannot become 1: .*does not come back/,
  },
  "secrets.rotate.encryption-key: smaller": {
    refusedBy: "keys",
    from: { secrets: { rotate: { "encryption-key": 2 } } },
    ...{ to: { secrets: { rotate: { "encryption-key": 1 } } } },
    refused: /secrets\.rotate\.encryption-key: 2 cannot become 1: .*does not come back/,
  },
  "secrets.rotate.service-account-key: smaller": {
    refusedBy: "keys",
    from: { secrets: { rotate: { "service-account-key": 2 } } },
    ...{ to: { secrets: { rotate: { "service-account-key": 1 } } } },
    refused: /secrets\.rotate\.service-account-key: 2 cannot become 1: .*does not come back/,
  },
};

/** Mappings are merged, everything else is taken from the last. */
export const merged = (...values: readonly object[]): object => values.reduce(mergeTwo);

function mergeTwo(one: object, other: object): object {
  const result = new Map<string, unknown>(Object.entries(one));
  for (const [key, inner] of Object.entries(other)) {
    const former = result.get(key);
    result.set(key, isMapping(former) && isMapping(inner) ? mergeTwo(former, inner) : inner);
  }
  return Object.fromEntries(result);
}

const isMapping = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);
