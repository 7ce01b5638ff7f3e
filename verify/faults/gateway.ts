import { ports } from "../../model/ports";
import type { DataCenterPlan, NodePlan, Role } from "../../stacks/plan/data-center-plan";
import { nodesOf } from "../../stacks/plan/data-center-plan";
import type { Fault } from "../fault";
import { beginNotes, endNotes, forgetNotes, longestGap, momentsIn, noteAnswers } from "../guest-notes";
import type { Laboratory } from "../laboratory";
import { lostWrites } from "./balancers";
import { back } from "./masters";

const AWAY_MS = 6_000;
const BACK_MS = 180_000;
/** Packets that were under way when the gateway died. */
const LATE_SECONDS = 1;

interface Watcher {
  /** The node that asks. */
  readonly name: string;
  readonly notes: string;
  readonly url: string;
}

/** The first node of a role asks the second one, which no gateway stands between. */
function neighbours({ nodes }: DataCenterPlan, role: Role, urlOf: (node: NodePlan) => string): readonly Watcher[] {
  const [watcher, neighbour] = nodes.filter((node) => node.role === role);
  return watcher && neighbour ? [{ name: watcher.name, notes: "neighbour", url: urlOf(neighbour) }] : [];
}

const withinSegments = (plan: DataCenterPlan): readonly Watcher[] => [
  ...neighbours(plan, "master", ({ address }) => `https://${address}:${plan.balancing.port}/readyz`),
  ...neighbours(plan, "worker", ({ address }) => `https://${address}:${ports.kubelet}/healthz`),
];

const acrossSegments = ({ nodes, balancing }: DataCenterPlan): readonly Watcher[] =>
  nodes
    .filter(({ role }) => role === "worker")
    .slice(0, 1)
    .map(({ name }) => ({ name, notes: "api", url: `https://${balancing.floatingIp}:${balancing.port}/readyz` }));

/** What the documentation says of it: within a segment all goes on, between segments and from the host nothing. */
export const gatewayKill: Fault = {
  name: "gateway-kill",
  what: "the gateway loses its cables, then its power, and comes back",
  measures: () => [
    {
      name: "segment-gap",
      what: "longest time without an answer of a master to a master, or of a worker to a worker",
      unit: "ms",
      target: 1_000,
    },
    {
      name: "passed",
      what: "answers of the API to the host and a worker, which the gateway alone leads",
      unit: "times",
      target: 0,
    },
    { name: "moved", what: "balancers that took the floating IP although its holder lived", unit: "times", target: 0 },
    back("from the gateway's start until the host and a worker have the API's answer again", 30_000),
    lostWrites,
  ],
  impossible: (plan) =>
    nodesOf(plan, "master").length < 2 || nodesOf(plan, "worker").length < 2
      ? "it has no two masters and two workers"
      : undefined,
  async run(lab) {
    const [within, across] = [withinSegments(lab.plan), acrossSegments(lab.plan)];
    const watchers = [...within, ...across];
    const holder = await lab.holder();
    await Promise.all(watchers.map(({ name, notes, url }) => lab.must(name, beginNotes(notes, noteAnswers(url)))));
    let absence: Absence | undefined;
    const lose = async (): Promise<void> => {
      absence = await loseGateway(lab);
    };
    const observed = await lab.watch("gateway", lose, 2_000);
    if (absence === undefined) throw new Error("the gateway was not away");
    const read = async ({ name, notes }: Watcher): Promise<readonly number[]> => {
      await lab.until(`${name} answers again`, 30_000, async () => (await lab.on(name, "true", 3_000)).code === 0);
      return momentsIn(await lab.must(name, endNotes(notes)));
    };
    const [inside, outside] = await Promise.all([Promise.all(within.map(read)), Promise.all(across.map(read))]);
    await Promise.all(watchers.map(({ name }) => lab.must(name, forgetNotes)));
    const values = {
      "segment-gap": Math.max(...inside.map(longestGap)),
      moved: (await lab.holder()) === holder ? 0 : 1,
      "lost-writes": observed.lostWrites,
      ...crossing(absence, outside.flat()),
    };
    return [{ values, timeline: observed.timeline }];
  },
};

/** Moments in seconds since 1970, by this host's clock, which machines of the same host share. */
interface Absence {
  readonly from: number;
  readonly to: number;
  readonly hostHadAnswer: boolean;
  readonly hostBackMs: number;
}

const now = (): number => Date.now() / 1_000;

async function loseGateway(lab: Laboratory): Promise<Absence> {
  await lab.kill("gateway");
  const from = now();
  await lab.pause(AWAY_MS);
  const hostHadAnswer = await lab.apiAnswers();
  const to = now();
  await lab.start("gateway");
  const hostBackMs = await lab.until("the host's port answers again", BACK_MS, () => lab.apiAnswers());
  return { from, to, hostHadAnswer, hostBackMs };
}

/** `answered`: the moments at which the worker had an answer. */
function crossing(absence: Absence, answered: readonly number[]): { passed: number; back: number } {
  const meanwhile = answered.filter((moment) => moment > absence.from + LATE_SECONDS && moment < absence.to);
  const next = answered.find((moment) => moment > absence.to);
  // The last of the notes is the moment at which they ended.
  const workerBackMs = Math.round(((next ?? now()) - absence.to) * 1_000);
  return {
    passed: meanwhile.length + (absence.hostHadAnswer ? 1 : 0),
    back: Math.max(absence.hostBackMs, workerBackMs),
  };
}
