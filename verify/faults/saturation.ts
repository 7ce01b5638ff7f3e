import { clusterMembers } from "../../cloud-init/files/cluster-members";
import { ports } from "../../model/ports";
import { recordHoldings } from "../address-holdings";
import { probeApi } from "../api-probe";
import type { Fault, Observation } from "../fault";
import type { Laboratory } from "../laboratory";
import { saturateHost } from "../saturate-host";
import { apiGap, needsPair } from "./balancers";

/** Long enough to cause no load of its own. */
const PROBE_MS = 100;

/** All machines are slow but healthy: a failover now means that the timers of the profile are too short. */
export const saturation: Fault = {
  name: "saturation",
  what: "all cores of the host are busy for `--minutes`",
  onlyWhenNamed: true,
  breaks: () => "host",
  measures: ({ balancing }) => [
    { name: "moves", what: "moves of the floating IP", unit: "times", target: 0 },
    ...(balancing.movedBy === "pacemaker"
      ? ([
          { name: "excluded-members", what: "healthy members that Corosync excluded", unit: "times", target: 0 },
          { name: "token-losses", what: "token losses after which Corosync formed the same membership", unit: "times" },
        ] as const)
      : []),
    { name: "dead-nodes", what: "changes of a node's Ready condition", unit: "times", target: 0 },
    { name: "elections", what: "leader elections of etcd", unit: "times", target: 0 },
    apiGap(undefined),
  ],
  inapplicable: needsPair,
  async run(lab) {
    const begin = Date.now();
    const holdings = await recordHoldings(lab);
    const leaders = await leadersSeen(lab);
    const probe = probeApi(`https://127.0.0.1:${lab.plan.hostPorts.api}/readyz`, PROBE_MS);
    await probe.begun;
    const load = saturateHost();
    try {
      await lab.pause(lab.minutes * 60_000);
    } finally {
      await load.stop();
      await probe.stop();
    }
    // It is already stopped and returns the same result.
    const { longestGapMs } = await probe.stop();
    const held = await holdings.read();
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

/** From the logs of the Corosync members; the highest count applies. A token loss without an exclusion is harmless. */
async function memberships(lab: Laboratory, sinceMs: number): Promise<Observation["values"]> {
  const since = `@${Math.floor(sinceMs / 1_000)}`;
  const script = `journalctl --quiet --unit corosync --since ${since} --output cat | grep "A new membership" || true`;
  const logs = await Promise.all(clusterMembers(lab.plan).map(({ name }) => lab.must(name, script)));
  const most = (pattern: RegExp): number => Math.max(...logs.map((log) => log.match(pattern)?.length ?? 0));
  return { "excluded-members": most(/Members .*left: /g), "token-losses": most(/A new membership/g) };
}

/** Leader changes since the etcd members started; the highest count applies. */
async function leadersSeen(lab: Laboratory): Promise<number> {
  const script = `curl -sf --max-time 10 http://127.0.0.1:${ports.etcdMetrics}/metrics | grep ^etcd_server_leader_changes_seen_total`;
  const lines = await Promise.all(lab.names("master").map((name) => lab.must(name, script)));
  return Math.max(...lines.map((line) => Number(line.trim().split(" ").at(-1))));
}

/** Nodes whose Ready condition has changed; Kubernetes records it with a resolution of one second. */
async function deadNodes(lab: Laboratory, sinceMs: number): Promise<number> {
  const { status, text } = await lab.api.request("GET", "/api/v1/nodes", undefined, 10_000);
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
