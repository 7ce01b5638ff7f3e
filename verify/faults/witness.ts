import { guestPaths } from "../../model/guest-paths";
import { type DataCenterPlan, type NodePlan, nodesOf, witnessOf } from "../../stacks/plan/data-center-plan";
import { namesPresent, verifyNamespace } from "../acknowledged-writes";
import type { Fault } from "../fault";
import {
  administratorFiles,
  longestGap,
  provideAdministrator,
  removeRecordings,
  startRecording,
  stopRecording,
  timesIn,
} from "../guest-recordings";
import type { Laboratory } from "../laboratory";
import { lostWrites } from "./balancers";
import { etcdctl, etcdLeader, hasServers, recovery, untilReady, writeGap } from "./masters";

const AWAY_MS = 10_000;

/**
 * The gateway where it has a vote of etcd. This host reaches the API through the gateway and measures nothing while it is away, so the
 * servers ask themselves. In the worst case, the gateway's member leads.
 */
export const witnessKill: Fault = {
  name: "witness-kill",
  what: "the gateway, whose member leads etcd, loses its network, then its power, and restarts",
  breaks: () => ["gateway"],
  measures: () => [
    { name: "read-gap", what: "longest time in which a master reads nothing from etcd", unit: "ms", target: 1_000 },
    { ...writeGap(1_000), what: "longest time in which no write of a master is acknowledged" },
    { name: "moved", what: "moves of the floating IP although its holder is healthy", unit: "times", target: 0 },
    recovery("from the gateway's start until its member of etcd works", 60_000),
    { ...lostWrites, what: `${lostWrites.what} of masters and of the host` },
  ],
  inapplicable: (plan) => (witnessOf(plan) ? undefined : "the gateway is no member of etcd beside masters"),
  async run(lab) {
    await leadBy(lab, "gateway");
    const clients = clientsOf(lab.plan, `v${Date.now().toString(36)}`);
    const holder = await lab.holder();
    try {
      await Promise.all(clients.map((client) => startClient(lab, client)));
      let recovered = 0;
      const lose = async (): Promise<void> => {
        await lab.kill("gateway");
        await lab.pause(AWAY_MS);
        await lab.start("gateway");
        recovered = await untilReady(lab, "gateway");
      };
      const observed = await lab.observe("gateway", lose, 2_000);
      const seen = await Promise.all(clients.map((client) => readClient(lab, client)));
      const present = new Set(await namesPresent(lab.api));
      const lost = seen.flatMap(({ acknowledged }) => acknowledged).filter((name) => !present.has(name));
      const values = {
        "read-gap": Math.max(...seen.map(({ readGap }) => readGap)),
        "write-gap": Math.max(...seen.map(({ writeGap: gap }) => gap)),
        moved: (await lab.holder()) === holder ? 0 : 1,
        recovery: recovered,
        "lost-writes": observed.lostWrites + lost.length,
      };
      return [{ values, timeline: observed.timeline }];
    } finally {
      // The key of an administrator is among them.
      await Promise.all(clients.map(({ name }) => lab.on(name, removeRecordings).catch(() => undefined)));
    }
  },
};

interface Client {
  /** The master that asks. */
  readonly name: string;
  readonly reads: string;
  readonly writes: string;
}

/** Balancers ask through the floating IP; to other masters, it is behind the gateway, and they ask each other. */
export function clientsOf(plan: DataCenterPlan, series: string): readonly Client[] {
  const { floatingIp, port } = plan.balancing;
  const masters = nodesOf(plan, "master");
  const addressFor = (position: number): string =>
    hasServers(plan) ? floatingIp : (masters[(position + 1) % masters.length] as NodePlan).address;
  return masters.map(({ name }, position) => {
    const namespace = `https://${addressFor(position)}:${port}/api/v1/namespaces/${verifyNamespace}`;
    return {
      name,
      reads: recordReads(namespace),
      writes: recordWrites(`${namespace}/configmaps`, `${series}-${name}`),
    };
  });
}

const request = `curl --silent --insecure --fail --max-time 1 --output /dev/null --cert ${administratorFiles.certificate} --key ${administratorFiles.key}`;

/**
 * A single object is read from etcd with a quorum, unlike a list, which API servers may have in memory. A request that waits for the
 * lost leader does not delay the next ones, which succeed earlier.
 */
const recordReads = (url: string): string => `/bin/bash -c '
  while :; do
    { ${request} ${url} && echo "$EPOCHREALTIME"; } &
    sleep 0.1
  done'`;

const recordWrites = (url: string, series: string): string => `/bin/bash -c '
  count=0
  while :; do
    name=${series}-$((count++))
    { ${request} --header "Content-Type: application/json" \\
      --data "{\\"apiVersion\\":\\"v1\\",\\"kind\\":\\"ConfigMap\\",\\"metadata\\":{\\"name\\":\\"$name\\"}}" ${url} &&
      echo "$EPOCHREALTIME $name"; } &
    sleep 0.1
  done'`;

async function startClient(lab: Laboratory, { name, reads, writes }: Client): Promise<void> {
  await lab.must(name, provideAdministrator(guestPaths.adminKubeconfig));
  await lab.must(name, startRecording("reads", reads));
  await lab.must(name, startRecording("writes", writes));
}

async function readClient(lab: Laboratory, { name }: Client) {
  await lab.until(`${name} responds`, 30_000, async () => (await lab.on(name, "true", 3_000)).code === 0);
  const [reads, writes] = [await lab.must(name, stopRecording("reads")), await lab.must(name, stopRecording("writes"))];
  return judgeClient(name, reads, writes);
}

/** @throws Error when nothing succeeded: gaps and losses would be invisible */
export function judgeClient(name: string, reads: string, writes: string) {
  const acknowledged = writes.split("\n").flatMap((line) => /^\S+ (?!ended$)(\S+)$/.exec(line)?.[1] ?? []);
  const times = timesIn(reads);
  if (times.length < 2 || acknowledged.length === 0) throw new Error(`no request of ${name} succeeded`);
  return { acknowledged, readGap: longestGap(times), writeGap: longestGap(timesIn(writes)) };
}

async function leadBy(lab: Laboratory, name: string): Promise<void> {
  const leader = await etcdLeader(lab);
  if (leader === name) return;
  const [, member] = (await lab.must(name, etcdctl("endpoint status --write-out=simple"))).split(", ");
  await lab.must(leader, etcdctl(`move-leader ${member}`));
}
