import { ports } from "../../model/ports";
import type { Role } from "../../model/roles";
import { type DataCenterPlan, type NodePlan, witnessOf } from "../../stacks/plan/data-center-plan";
import { machinesOf } from "../../stacks/plan/role-machines";
import type { Fault } from "../fault";
import {
  longestGap,
  recordResponses,
  removeRecordings,
  startRecording,
  stopRecording,
  timesIn,
} from "../guest-recordings";
import type { Laboratory } from "../laboratory";
import { lostWrites } from "./balancers";
import { recovery } from "./masters";

const AWAY_MS = 6_000;
const BACK_MS = 180_000;
/** Ignores packets that were in flight when the gateway failed. */
const LATE_SECONDS = 1;

interface Watcher {
  /** The node that sends the requests. */
  readonly name: string;
  readonly recording: string;
  readonly url: string;
}

/** The first machine of a pool probes the second one, without the gateway in between. */
function neighbours(plan: DataCenterPlan, role: Role, urlOf: (node: NodePlan) => string): readonly Watcher[] {
  const [watcher, neighbour] = machinesOf(plan, role);
  return watcher && neighbour ? [{ name: watcher.name, recording: "neighbour", url: urlOf(neighbour) }] : [];
}

const withinSegments = (plan: DataCenterPlan): readonly Watcher[] => [
  ...neighbours(plan, "master", ({ address }) => `https://${address}:${plan.balancing.port}/readyz`),
  ...neighbours(plan, "worker", ({ address }) => `https://${address}:${ports.kubelet}/healthz`),
];

const acrossSegments = ({ nodes, balancing }: DataCenterPlan): readonly Watcher[] =>
  nodes
    .filter(({ roles }) => roles.includes("worker"))
    .slice(0, 1)
    .map(({ name }) => ({ name, recording: "api", url: `https://${balancing.floatingIp}:${balancing.port}/readyz` }));

/** Traffic within a segment continues. Traffic between segments and from the host stops. */
export const gatewayKill: Fault = {
  name: "gateway-kill",
  what: "the gateway loses its network, then its power, and restarts",
  breaks: () => ["gateway"],
  measures: () => [
    {
      name: "segment-gap",
      what: "longest time without a response between two masters, or between two workers",
      unit: "ms",
      target: 1_000,
    },
    {
      name: "passed",
      what: "API responses that reach the host or a worker while the gateway is down",
      unit: "times",
      target: 0,
    },
    { name: "moved", what: "moves of the floating IP although its holder is healthy", unit: "times", target: 0 },
    recovery("from the gateway's start until the host and a worker reach the API", 30_000),
    lostWrites,
  ],
  inapplicable: (plan) => {
    if (machinesOf(plan, "master").length >= 2 && machinesOf(plan, "worker").length >= 2) return undefined;
    const few = "the stack has fewer than two masters or two workers of their own";
    return witnessOf(plan) ? `${few}, see witness-kill` : few;
  },
  async run(lab) {
    const [within, across] = [withinSegments(lab.plan), acrossSegments(lab.plan)];
    const watchers = [...within, ...across];
    const holder = await lab.holder();
    await Promise.all(
      watchers.map(({ name, recording, url }) => lab.must(name, startRecording(recording, recordResponses(url)))),
    );
    let outage: Outage | undefined;
    const lose = async (): Promise<void> => {
      outage = await loseGateway(lab);
    };
    const observed = await lab.observe("gateway", lose, 2_000);
    if (outage === undefined) throw new Error("the gateway was not stopped");
    const read = async ({ name, recording }: Watcher): Promise<readonly number[]> => {
      await lab.until(`${name} responds`, 30_000, async () => (await lab.on(name, "true", 3_000)).code === 0);
      return timesIn(await lab.must(name, stopRecording(recording)));
    };
    const [inside, outside] = await Promise.all([Promise.all(within.map(read)), Promise.all(across.map(read))]);
    await Promise.all(watchers.map(({ name }) => lab.must(name, removeRecordings)));
    const values = {
      "segment-gap": Math.max(...inside.map(longestGap)),
      moved: (await lab.holder()) === holder ? 0 : 1,
      "lost-writes": observed.lostWrites,
      ...crossing(outage, outside.flat()),
    };
    return [{ values, timeline: observed.timeline }];
  },
};

/** Times in seconds since 1970 by the host's clock, which its machines share. */
interface Outage {
  readonly from: number;
  readonly to: number;
  readonly hostHadResponse: boolean;
  readonly hostRecoveryMs: number;
}

const now = (): number => Date.now() / 1_000;

async function loseGateway(lab: Laboratory): Promise<Outage> {
  await lab.kill("gateway");
  const from = now();
  await lab.pause(AWAY_MS);
  const hostHadResponse = await lab.apiResponds();
  const to = now();
  await lab.start("gateway");
  const hostRecoveryMs = await lab.until("the API responds through the host's port", BACK_MS, () => lab.apiResponds());
  return { from, to, hostHadResponse, hostRecoveryMs };
}

/** `responded`: the times of the worker's responses. */
function crossing(outage: Outage, responded: readonly number[]): { passed: number; recovery: number } {
  const meanwhile = responded.filter((time) => time > outage.from + LATE_SECONDS && time < outage.to);
  const next = responded.find((time) => time > outage.to);
  // The last time is the end of the recording.
  const workerRecoveryMs = Math.round(((next ?? now()) - outage.to) * 1_000);
  return {
    passed: meanwhile.length + (outage.hostHadResponse ? 1 : 0),
    recovery: Math.max(outage.hostRecoveryMs, workerRecoveryMs),
  };
}
