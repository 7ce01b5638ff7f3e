import assert from "node:assert/strict";
import { test } from "node:test";
import { kubernetesVersions } from "../../../../model/releases";
import { parseConfiguration } from "../../../../stacks/config/parse-configuration";

/** Each case breaks one rule. Every rule of the configuration has a case. */
interface Case {
  readonly what: string;
  readonly value: unknown;
  readonly context?: { stack?: string; hostMemoryMiB?: number };
  readonly path: string;
  readonly rule: RegExp;
  readonly fix: RegExp;
}

const disks = (...names: string[]) => names.map((name) => ({ name, sizeGiB: 1 }));
const pool = (name: string, value: object) => ({ pools: { [name]: value } });
const network = (value: object) => ({ network: value });

const cases: readonly Case[] = [
  // Shape
  { what: "no mapping", value: "lab", path: "dataCenter", rule: /mapping/, fix: /driver, kubernetesVersion/ },
  { what: "unknown key", value: { drivr: 1 }, path: "drivr", rule: /unknown/, fix: /did you mean `driver`/ },
  {
    what: "unknown key, close to nothing",
    value: pool("workers", { colour: 1 }),
    path: "pools.workers.colour",
    rule: /unknown/,
    fix: /known here: count, cpus, memoryMiB, diskGiB, volumes, disks/,
  },
  {
    what: "number as text",
    value: pool("workers", { count: "2" }),
    path: "pools.workers.count",
    rule: /whole/,
    fix: /quotes/,
  },
  { what: "fraction", value: pool("workers", { cpus: 1.5 }), path: "pools.workers.cpus", rule: /whole/, fix: /./ },
  {
    what: "negative",
    value: pool("workers", { count: -1 }),
    path: "pools.workers.count",
    rule: /at least 0/,
    fix: /0/,
  },
  {
    what: "unknown volume",
    value: pool("masters", { volumes: { "/va": 9 } }),
    path: "pools.masters.volumes./va",
    rule: /unknown/,
    fix: /did you mean `\/var`/,
  },
  {
    what: "volume in another",
    value: pool("masters", { volumes: { "/var/lib": 9 } }),
    path: "pools.masters.volumes./var/lib",
    rule: /not lie in another volume, \/var/,
    fix: /give \/var/,
  },
  {
    what: "size that is none",
    value: pool("masters", { volumes: { "/var": "9 GB" } }),
    path: "pools.masters.volumes./var",
    rule: /whole number/,
    fix: /./,
  },
  {
    what: "volume smaller than what is in it",
    value: pool("workers", { volumes: { "/var": 1 } }),
    path: "pools.workers.volumes./var",
    rule: /at least 2 GiB/,
    fix: /2 or more/,
  },
  {
    what: "volumes larger than their disk",
    value: pool("workers", { diskGiB: 20, volumes: { "/var": "15 GiB", "/opt": 5 } }),
    path: "pools.workers.volumes",
    rule: /system disk of 20 GiB; with the other volumes they need 23 GiB/,
    fix: /diskGiB: 23/,
  },
  { what: "empty pool", value: { pools: { workers: null } }, path: "pools.workers", rule: /mapping/, fix: /count/ },
  {
    what: "text for a flag",
    value: { options: { rebootstrap: "yes" } },
    path: "options.rebootstrap",
    rule: /true or false/,
    fix: /quotes/,
  },
  { what: "unknown driver", value: { driver: "nspwn" }, path: "driver", rule: /one of auto/, fix: /`nspawn`/ },
  {
    what: "unsupported version",
    value: { kubernetesVersion: "1.20.0" },
    path: "kubernetesVersion",
    rule: new RegExp(kubernetesVersions.join(", ").replaceAll(".", "\\.")),
    fix: new RegExp(String(kubernetesVersions[0]).replaceAll(".", "\\.")),
  },
  { what: "no list", value: pool("storage", { disks: "a" }), path: "pools.storage.disks", rule: /list/, fix: /\[\]/ },
  {
    what: "hostile disk name",
    value: pool("storage", { disks: disks("$(x)") }),
    path: "pools.storage.disks[0].name",
    rule: /lower-case/,
    fix: /brick/,
  },
  // Pools
  {
    what: "even masters",
    value: pool("masters", { count: 4 }),
    path: "pools.masters.count",
    rule: /odd/,
    fix: /3 or 5/,
  },
  {
    what: "no master",
    value: pool("masters", { count: 0 }),
    path: "pools.masters.count",
    rule: /1 to 7, unless the gateway is the master/,
    fix: /use 3, or 1, or pools\.gateway/,
  },
  {
    what: "three balancers",
    value: pool("balancers", { count: 3 }),
    path: "pools.balancers.count",
    rule: /at most 2/,
    fix: /2/,
  },
  {
    what: "two gateways",
    value: pool("gateway", { count: 2 }),
    path: "pools.gateway.count",
    rule: /at most 1/,
    fix: /1/,
  },
  {
    what: "master of one cpu",
    value: pool("masters", { cpus: 1 }),
    path: "pools.masters.cpus",
    rule: /at least 2/,
    fix: /2/,
  },
  {
    what: "tiny master",
    value: pool("masters", { memoryMiB: 1024 }),
    path: "pools.masters.memoryMiB",
    rule: /1700/,
    fix: /2048/,
  },
  {
    what: "duplicate disk",
    value: pool("workers", { disks: disks("a", "b", "a") }),
    path: "pools.workers.disks[2].name",
    rule: /unique in its pool; disks\[0\]/,
    fix: /another name/,
  },
  {
    what: "full segment",
    value: { ...pool("workers", { count: 200 }), network: { cidr: "192.168.56.0/22" } },
    path: "pools.workers.count",
    rule: /192\.168\.\d+\.0\/24 has 181 addresses/,
    fix: /181 or less/,
  },
  {
    what: "two storage machines",
    value: pool("storage", { count: 2, disks: disks("brick") }),
    path: "pools.storage.count",
    rule: /it is unknown which is right/,
    fix: /use 3/,
  },
  {
    what: "storage without a disk",
    value: pool("storage", { count: 3 }),
    path: "pools.storage.disks",
    rule: /data disk/,
    fix: /brick/,
  },
  {
    what: "more memory than the host has",
    value: {},
    context: { hostMemoryMiB: 4096 },
    path: "pools",
    rule: /host's 4096 MiB/,
    fix: /small/,
  },
  // Networks
  { what: "no range", value: network({ cidr: "192.168.0.0" }), path: "network.cidr", rule: /IPv4 range/, fix: /\/21/ },
  {
    what: "off its boundary",
    value: network({ cidr: "192.168.57.0/21" }),
    path: "network.cidr",
    rule: /boundary/,
    fix: /use 192\.168\.56\.0\/21/,
  },
  {
    what: "too small",
    value: network({ cidr: "192.168.56.0/23" }),
    path: "network.cidr",
    rule: /\/22 or larger/,
    fix: /192\.168\.56\.0\/21/,
  },
  { what: "public", value: network({ cidr: "8.8.0.0/16" }), path: "network.cidr", rule: /private/, fix: /192\.168/ },
  {
    what: "larger than private",
    value: network({ cidr: "172.0.0.0/8" }),
    path: "network.cidr",
    rule: /private/,
    fix: /./,
  },
  {
    what: "on the uplink",
    value: network({ cidr: "10.0.0.0/16" }),
    path: "network.cidr",
    rule: /uplink/,
    fix: /another range/,
  },
  {
    what: "pods on the network",
    value: network({ podCidr: "192.168.0.0/16" }),
    path: "network.podCidr",
    rule: /overlap network\.cidr \(192\.168\.56\.0\/21\)/,
    fix: /another range/,
  },
  {
    what: "services on pods",
    value: network({ serviceCidr: "10.244.0.0/20" }),
    path: "network.serviceCidr",
    rule: /network\.podCidr/,
    fix: /./,
  },
  {
    what: "services too small",
    value: network({ serviceCidr: "10.96.0.0/28" }),
    path: "network.serviceCidr",
    rule: /\/12 and \/24/,
    fix: /10\.96/,
  },
  {
    what: "pods too few",
    value: network({ podCidr: "10.244.0.0/22" }),
    path: "network.podCidr",
    rule: /each of 5 masters and workers/,
    fix: /\/16/,
  },
  // Addresses and ports
  { what: "no address", value: { floatingIp: "192.168.56" }, path: "floatingIp", rule: /IPv4 address/, fix: /192/ },
  {
    what: "outside the dmz",
    value: { floatingIp: "192.168.57.10" },
    path: "floatingIp",
    rule: /inside the dmz segment 192\.168\.56\.0\/24/,
    fix: /192\.168\.56\.10/,
  },
  { what: "the gateway's", value: { floatingIp: "192.168.56.1" }, path: "floatingIp", rule: /gateway's/, fix: /./ },
  { what: "a balancer's", value: { floatingIp: "192.168.56.12" }, path: "floatingIp", rule: /balancer-2/, fix: /./ },
  {
    what: "a lease",
    value: { floatingIp: "192.168.56.200" },
    path: "floatingIp",
    rule: /dynamic range 192\.168\.56\.192 to 192\.168\.56\.254/,
    fix: /./,
  },
  {
    what: "the broadcast",
    value: { floatingIp: "192.168.56.255" },
    path: "floatingIp",
    rule: /last address/,
    fix: /./,
  },
  {
    what: "port out of range",
    value: { hostPorts: { api: 80 } },
    path: "hostPorts.api",
    rule: /at least 1024/,
    fix: /./,
  },
  {
    what: "port taken twice",
    value: { hostPorts: { api: 7000, ssh: 7000 } },
    path: "hostPorts.ssh",
    rule: /differ/,
    fix: /own port/,
  },
  {
    what: "a derived port taken",
    value: { hostPorts: { api: 25767 } },
    path: "hostPorts.ssh",
    rule: /differ/,
    fix: /./,
  },
];

for (const { what, value, context, path, rule, fix } of cases) {
  test(`refused: ${what}`, () => {
    const { problems = [] } = parseConfiguration(value, { stack: "lab", ...context });
    const problem = problems.find((found) => found.path === path && rule.test(found.rule));
    assert.ok(problem, JSON.stringify(problems, null, 2));
    assert.match(problem.fix, fix);
    assert.equal(problems.length, 1, `one cause, one problem: ${JSON.stringify(problems, null, 2)}`);
  });
}
