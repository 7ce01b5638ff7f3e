import { clusterMembers } from "../../cloud-init/files/cluster-members";
import { ports } from "../../model/ports";
import { probeApi } from "../api-probe";
import type { Fault, Observation } from "../fault";
import { watchHolding } from "../holding-notes";
import type { Laboratory } from "../laboratory";
import { saturateHost } from "../saturate-host";
import { apiGap, needsPair } from "./balancers";

/** Seldom enough to be no load of its own. */
const PROBE_MS = 100;

/** Nobody is ill, only slow: whoever counts as dead now shows that the timers of the profile are too short. */
export const saturation: Fault = {
  name: "saturation",
  what: "every core of the host is kept busy, for `--minutes`",
  onlyWhenNamed: true,
  measures: ({ balancing }) => [
    { name: "moves", what: "times that the floating IP came or went", unit: "times", target: 0 },
    ...(balancing.movedBy === "pacemaker"
      ? ([
          { name: "shut-out", what: "times that Corosync left out a member that lived", unit: "times", target: 0 },
          { name: "token-losses", what: "times that its members missed the token, and agreed anew", unit: "times" },
        ] as const)
      : []),
    { name: "dead-nodes", what: "nodes that counted as dead", unit: "times", target: 0 },
    { name: "elections", what: "times that etcd's members had another leader", unit: "times", target: 0 },
    apiGap(undefined),
  ],
  impossible: needsPair,
  async run(lab) {
    const begin = Date.now();
    const holding = await watchHolding(lab);
    const leaders = await leadersSeen(lab);
    const probe = probeApi(`https://127.0.0.1:${lab.plan.hostPorts.api}/readyz`, PROBE_MS);
    const load = saturateHost();
    try {
      await lab.pause(lab.minutes * 60_000);
    } finally {
      await load.stop();
      await probe.stop();
    }
    // Stopped already: it tells the same again.
    const { longestGapMs } = await probe.stop();
    const held = await holding.read();
    const values = {
      elections: (await leadersSeen(lab)) - leaders,
      moves: held.flat().length - 1,
      "dead-nodes": await deadNodes(lab, begin),
      "api-gap": longestGapMs,
      ...(lab.plan.balancing.movedBy === "pacemaker" ? await memberships(lab, begin) : {}),
    };
    return [{ values }];
  },
};

/** What Corosync's members wrote, by the one that saw most. A lost token alone is no harm: the same members go on. */
async function memberships(lab: Laboratory, sinceMs: number): Promise<Observation["values"]> {
  const since = `@${Math.floor(sinceMs / 1_000)}`;
  const script = `journalctl --quiet --unit corosync --since ${since} --output cat | grep "A new membership" || true`;
  const notes = await Promise.all(clusterMembers(lab.plan).map(({ name }) => lab.must(name, script)));
  const most = (pattern: RegExp): number => Math.max(...notes.map((note) => note.match(pattern)?.length ?? 0));
  return { "shut-out": most(/Members .*left: /g), "token-losses": most(/A new membership/g) };
}

/** Leaders that the members of etcd have had since they started, by the one that saw most. */
async function leadersSeen(lab: Laboratory): Promise<number> {
  const script = `curl -sf --max-time 10 http://127.0.0.1:${ports.etcdMetrics}/metrics | grep ^etcd_server_leader_changes_seen_total`;
  const lines = await Promise.all(lab.names("master").map((name) => lab.must(name, script)));
  return Math.max(...lines.map((line) => Number(line.trim().split(" ").at(-1))));
}

/** Nodes whose readiness has changed; Kubernetes notes it to the second. */
async function deadNodes(lab: Laboratory, sinceMs: number): Promise<number> {
  const { status, text } = await lab.api.ask("GET", "/api/v1/nodes", undefined, 10_000);
  if (status !== 200) throw new Error(`the API does not list nodes: status ${status}`);
  const { items } = JSON.parse(text) as { readonly items: readonly NodeObject[] };
  const changed = items.filter(({ status: { conditions } }) =>
    conditions.some(({ type, lastTransitionTime }) => type === "Ready" && Date.parse(lastTransitionTime) > sinceMs),
  );
  return changed.length;
}

interface NodeObject {
  readonly status: { readonly conditions: readonly { readonly type: string; readonly lastTransitionTime: string }[] };
}
