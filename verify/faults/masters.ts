import type { Measure } from "../../model/contract-report";
import { guestCommand, guestPaths } from "../../model/guest-paths";
import { ports } from "../../model/ports";
import { type DataCenterPlan, etcdMachinesOf, nodesOf, witnessOf } from "../../stacks/plan/data-center-plan";
import { verifyNamespace } from "../acknowledged-writes";
import type { Fault, Observation } from "../fault";
import type { Laboratory, Observed } from "../laboratory";
import { apiGap, lostWrites, takeover } from "./balancers";

const AFTER_MS = 3_000;
const DOWN_MS = 6_000;
const RECOVERY_MS = 240_000;

export const writeGap = (target?: number): Measure => ({
  name: "write-gap",
  what: "longest time without an acknowledged write",
  unit: "ms",
  ...(target === undefined ? {} : { target }),
});

export const recovery = (what: string, target: number): Measure => ({ name: "recovery", what, unit: "ms", target });

/** Without etcd, a master is only one of several API servers. */
function needsOthers(plan: DataCenterPlan): string | undefined {
  if (hasServers(plan)) return "masters are balancers, see server-kill";
  const least = etcdMachinesOf(plan).length > 0 ? 2 : 3;
  const spelt = least === 2 ? "two" : "three";
  return nodesOf(plan, "master").length < least ? `the stack has fewer than ${spelt} masters` : undefined;
}

/** The gateway is no member that these faults may kill: this host reaches the API through it. */
function needsThreeMembers(plan: DataCenterPlan): string | undefined {
  if (nodesOf(plan, "etcd").filter(({ roles }) => !roles.includes("gateway")).length >= 3) return undefined;
  if (witnessOf(plan)) return "the gateway has one of three votes of etcd, see witness-kill";
  return `the stack has fewer than three ${etcdMachinesOf(plan).length > 0 ? "etcd machines" : "masters"}`;
}

/** Masters that are balancers, too. */
export const hasServers = (plan: DataCenterPlan): boolean =>
  nodesOf(plan, "master").some(({ roles }) => roles.includes("balancer"));

const mastersOf = (plan: DataCenterPlan): readonly string[] => nodesOf(plan, "master").map(({ name }) => name);

const etcdMachineNames = (plan: DataCenterPlan): readonly string[] => etcdMachinesOf(plan).map(({ name }) => name);

/** Each of two servers, the one with the floating IP and the other: what remains is one of everything and the witness. */
export const serverKill: Fault = {
  name: "server-kill",
  what: "each of two machines that are masters and balancers loses its network, then its power",
  breaks: mastersOf,
  measures: (plan) => [
    apiGap(150),
    { ...apiGap(takeover(plan)), name: "holder-api-gap", what: `${apiGap(0).what}, if it held the floating IP` },
    writeGap(1_000),
    lostWrites,
  ],
  inapplicable: (plan) =>
    !hasServers(plan)
      ? "masters and balancers have machines of their own"
      : nodesOf(plan, "etcd").length < 3 || nodesOf(plan, "master").length < 2
        ? "the stack does not survive the loss of one"
        : undefined,
  async run(lab) {
    const holder = await lab.holder();
    const names = lab.chosen(lab.names("master"));
    const order = [...names.filter((name) => name !== holder), ...names.filter((name) => name === holder)];
    const observations = await killInTurn(lab, order);
    return observations.map((one, position) => {
      const { "api-gap": gap = 0, ...others } = one.values;
      return { ...one, values: { ...others, [order[position] === holder ? "holder-api-gap" : "api-gap"]: gap } };
    });
  },
};

const seen = ({ apiGap: gap, writeGap: write, lostWrites: lost, timeline }: Observed): Observation => ({
  values: { "api-gap": gap, "write-gap": write, "lost-writes": lost },
  timeline,
});

/** Every master in each round, because none has a special role. */
export const masterKill: Fault = {
  name: "master-kill",
  what: "each master in turn loses its network, then its power",
  breaks: mastersOf,
  measures: () => [apiGap(150), writeGap(1_000), lostWrites],
  inapplicable: needsOthers,
  run: (lab) => killInTurn(lab, lab.chosen(lab.names("master"))),
};

/** Every machine in each round: masters prefer different ones, and one of them leads. */
export const etcdKill: Fault = {
  name: "etcd-kill",
  what: "each etcd machine in turn loses its network, then its power",
  breaks: etcdMachineNames,
  measures: () => [apiGap(150), writeGap(1_000), lostWrites],
  inapplicable: (plan) =>
    etcdMachinesOf(plan).length === 0 ? "etcd runs on the masters" : (needsThreeMembers(plan) ?? needsOthers(plan)),
  run: (lab) => killInTurn(lab, lab.chosen(etcdMachineNames(lab.plan))),
};

async function killInTurn(lab: Laboratory, names: readonly string[]): Promise<readonly Observation[]> {
  const observations: Observation[] = [];
  for (const name of names) {
    observations.push(seen(await lab.observe(name, () => lab.kill(name), AFTER_MS)));
    await lab.start(name);
    await untilReady(lab, name);
  }
  return observations;
}

export const etcdLeaderKill: Fault = {
  name: "etcd-leader-kill",
  what: "the machine with the etcd leader loses its network, then its power",
  breaks: () => "etcd-leader",
  measures: () => [apiGap(150), writeGap(1_000), lostWrites],
  inapplicable: needsThreeMembers,
  async run(lab) {
    const leader = await etcdLeader(lab);
    return [seen(await lab.observe(leader, () => lab.kill(leader), AFTER_MS))];
  },
};

/** Without a quorum, etcd accepts no writes and serves no linearizable reads. */
export const quorumLoss: Fault = {
  name: "quorum-loss",
  what: "two of three members of etcd lose network and power, then restart",
  breaks: () => "stack",
  measures: () => [
    { name: "wrong-writes", what: "writes acknowledged without a quorum", unit: "times", target: 0 },
    recovery("from the restart of both until a write is acknowledged", 60_000),
    lostWrites,
  ],
  inapplicable: needsThreeMembers,
  async run(lab) {
    const [, ...lost] = rotated(lab.names("etcd"), lab.round);
    let wrong = 0;
    let recovered = 0;
    const observed = await lab.observe(
      lost.join(" and "),
      async () => {
        await lab.kill(...lost);
        await lab.pause(DOWN_MS);
        if (await canWrite(lab, `without-quorum-${lab.round}`)) wrong = 1;
        await lab.start(...lost);
        recovered = await lab.until("writes are acknowledged", RECOVERY_MS, () =>
          canWrite(lab, `with-quorum-${Date.now()}`),
        );
      },
      AFTER_MS,
    );
    return [
      {
        values: { "wrong-writes": wrong, recovery: recovered, "lost-writes": observed.lostWrites },
        timeline: observed.timeline,
      },
    ];
  },
};

async function canWrite(lab: Laboratory, name: string): Promise<boolean> {
  const path = `/api/v1/namespaces/${verifyNamespace}/configmaps`;
  const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name } };
  return lab.api.request("POST", path, body, 3_000).then(
    ({ status }) => status === 201,
    () => false,
  );
}

/** Ready by the node's own checks: for a master, its API server and its etcd member. */
export const untilReady = (lab: Laboratory, name: string): Promise<number> =>
  lab.until(`${name} is ready`, RECOVERY_MS, async () => {
    return (await lab.on(name, guestCommand("node-ready"), 10_000)).code === 0;
  });

export const etcdctl = (words: string): string =>
  [
    `ETCDCTL_API=3 etcdctl --endpoints https://127.0.0.1:${ports.etcdClient} --cacert ${guestPaths.etcdPki}/ca.crt`,
    `--cert ${guestPaths.etcdPki}/server.crt --key ${guestPaths.etcdPki}/server.key`,
    words,
  ].join(" ");

export async function etcdLeader(lab: Laboratory): Promise<string> {
  for (const name of lab.names("etcd")) {
    const [state] = JSON.parse(await lab.must(name, etcdctl("endpoint status --write-out=json"))) as EndpointStatus[];
    if (state && state.Status.leader === state.Status.header.member_id) return name;
  }
  throw new Error("no member of etcd is the leader");
}

interface EndpointStatus {
  readonly Status: { readonly leader: number; readonly header: { readonly member_id: number } };
}

/** Starts with another master in each round. */
const rotated = (names: readonly string[], by: number): readonly string[] => {
  const start = by % names.length;
  return [...names.slice(start), ...names.slice(0, start)];
};
