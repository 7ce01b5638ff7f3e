import assert from "node:assert/strict";
import { test } from "node:test";
import { type RefusedLoss, refusedLosses } from "../../../model/plan-losses";
import type { FormerMachine, GuardedMember, PresentMember } from "../../../model/pool-change";
import type { Role } from "../../../model/roles";

interface Situation {
  /** Every existing machine of the stack. */
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly stopped?: readonly string[];
  readonly vanished?: readonly string[];
  /** Machines that the plan creates with another identity. */
  readonly recreated?: readonly string[];
  readonly replicas?: number;
}

const names = (role: string, count: number) => Array.from({ length: count }, (_, index) => `${role}-${index + 1}`);
const member = (name: string, age = "old"): GuardedMember => ({
  name,
  uuid: `${age} ${name}`,
  macs: [`mac of ${name}`],
});

/** A machine with the name that the plan gives it. The tests derive its roles from its name. */
const formerly = (name: string, _index: number, all: readonly string[]): FormerMachine => {
  const role = name.replace(/-\d+$/, "") as Role;
  const isStacked = role === "master" && !all.includes("etcd-1");
  return { name, roles: isStacked ? ["master", "etcd"] : [role] };
};

function judge({ before, after, stopped = [], vanished = [], recreated = [], replicas = 3 }: Situation) {
  const present = before
    .filter((name) => !vanished.includes(name))
    .map((name): [string, PresentMember] => [name, { ...member(name), running: !stopped.includes(name) }]);
  const planned = (role: string) =>
    after.filter((name) => name.startsWith(role)).map((name) => member(name, recreated.includes(name) ? "new" : "old"));
  const etcd = planned("etcd");
  const members = {
    ...{ masters: planned("master"), balancers: planned("balancer"), storage: planned("storage"), replicas },
    ...(etcd.length > 0 && { etcd }),
  };
  return refusedLosses(before.map(formerly), new Map(present), members);
}

const properties = (refused: readonly RefusedLoss[]) => refused.map(({ property }) => property);
const masters = (from: number, to: number, rest: Partial<Situation> = {}) =>
  judge({ before: names("master", from), after: names("master", to), ...rest });

test("any number of masters can be added or removed while all of them work", () => {
  for (const [from, to] of [
    [1, 3],
    [3, 5],
    [5, 3],
    [3, 1],
    [5, 1],
  ] as const) {
    assert.deepEqual(masters(from, to), [], `${from} -> ${to}`);
  }
  assert.deepEqual(masters(0, 3), [], "a stack that begins");
});

test("a stopped master may leave, and a stopped master that stays must be started first", () => {
  assert.deepEqual(masters(3, 1, { stopped: ["master-3"] }), []);
  assert.deepEqual(
    masters(3, 1, { stopped: ["master-2"] }).map(({ problem }) => problem),
    ["when master-3 has left, only master-1 of master-1, master-2 would remain, and etcd would stop"],
  );
  assert.deepEqual(masters(5, 3, { stopped: ["master-2"] }), []);
});

test("without a majority, nothing is removed", () => {
  const [refused] = masters(3, 1, { stopped: ["master-2", "master-3"] });
  assert.match(String(refused?.problem), /only master-1 of master-1, master-2, master-3 respond/);
  assert.match(String(refused?.instead), /run `up`/);
  assert.deepEqual(masters(3, 3, { vanished: ["master-2", "master-3"] }), [], "a repair loses nothing");
});

test("a majority of the masters cannot be recreated in one operation", () => {
  assert.deepEqual(masters(3, 3, { recreated: ["master-1"] }), []);
  assert.deepEqual(masters(5, 5, { recreated: ["master-1", "master-2"] }), []);
  assert.match(
    String(masters(3, 3, { recreated: ["master-1", "master-3"] })[0]?.problem),
    /keep 1 of 3 members; it needs 2/,
  );
  assert.match(String(masters(3, 3, { recreated: ["master-1"], vanished: ["master-2"] })[0]?.problem), /keep 1 of 3/);
  assert.match(String(masters(1, 1, { recreated: ["master-1"] })[0]?.instead), /grow to three masters first/);
});

test("two balancers cannot be recreated in one operation, and of a pair the one that works stays", () => {
  const pair = { before: names("balancer", 2), after: names("balancer", 2) };
  assert.deepEqual(judge({ ...pair, recreated: ["balancer-1"] }), []);
  assert.deepEqual(properties(judge({ ...pair, recreated: names("balancer", 2) })), ["balancers"]);
  assert.deepEqual(properties(judge({ ...pair, recreated: ["balancer-1"], stopped: ["balancer-2"] })), ["balancers"]);
  assert.deepEqual(judge({ ...pair, after: names("balancer", 1) }), []);
  assert.deepEqual(properties(judge({ ...pair, after: names("balancer", 1), stopped: ["balancer-1"] })), ["balancers"]);
  assert.deepEqual(judge({ before: names("balancer", 1), after: names("balancer", 2) }), []);
  const moved = judge({ before: names("balancer", 1), after: [] });
  assert.match(moved[0]?.instead ?? "", /keep balancers on the machines that they are on/);
  const single = { before: names("balancer", 1), after: names("balancer", 1) };
  assert.deepEqual(judge({ ...single, recreated: ["balancer-1"] }), [], "a single balancer accepts outages");
});

test("storage keeps its replicas, and is recreated one machine at a time", () => {
  const three = { before: names("storage", 3), after: names("storage", 3) };
  assert.deepEqual(judge({ ...three, recreated: ["storage-2"] }), []);
  assert.deepEqual(properties(judge({ ...three, recreated: ["storage-1", "storage-2"] })), ["storage"]);
  assert.deepEqual(properties(judge({ ...three, recreated: ["storage-1"], stopped: ["storage-2"] })), ["storage"]);
  assert.match(
    String(judge({ ...three, after: names("storage", 2) })[0]?.problem),
    /2 storage machines for a volume of 3/,
  );
  assert.deepEqual(
    judge({ before: names("storage", 2), after: names("storage", 2), recreated: ["storage-1"], replicas: 1 }),
    [],
  );
});

test("an existing volume keeps its shape", () => {
  const judgeShape = (before: string | undefined, after: string, machines = 3) =>
    refusedLosses(
      names("storage", machines).map(formerly),
      new Map(),
      {
        masters: [],
        balancers: [],
        storage: names("storage", 3).map((name) => member(name)),
        replicas: 3,
        volume: after,
      },
      before,
    );
  assert.match(String(judgeShape("replica-3", "arbiter")[0]?.problem), /is replica-3 and cannot become arbiter/);
  assert.match(String(judgeShape("single", "replica-3", 1)[0]?.instead), /keep its shape/);
  assert.deepEqual(judgeShape("arbiter", "arbiter"), []);
  assert.deepEqual(judgeShape("", "replica-3", 0), [], "a pool that begins");
  assert.deepEqual(judgeShape(undefined, "arbiter"), [], "no other shape is known");
});

test("all refusals are reported at once", () => {
  const before = [...names("master", 3), ...names("balancer", 2), ...names("storage", 3)];
  assert.deepEqual(properties(judge({ before, after: before, recreated: before })), [
    "masters",
    "balancers",
    "storage",
  ]);
  for (const { problem, instead } of judge({ before, after: before, recreated: before })) assert.ok(problem && instead);
});

const external = [...names("master", 2), ...names("etcd", 3)];

test("etcd machines are guarded by their own majority", () => {
  const grown = [...names("master", 2), ...names("etcd", 5)];
  assert.deepEqual(judge({ before: external, after: grown }), []);
  assert.deepEqual(judge({ before: grown, after: external }), []);
  assert.deepEqual(judge({ before: external, after: external, recreated: ["etcd-2"] }), []);
  assert.deepEqual(judge({ before: external, after: external, recreated: ["etcd-1", "etcd-2"] }), [
    {
      property: "etcd",
      problem: "etcd-1, etcd-2 would be recreated at once, and etcd would keep 1 of 3 members; it needs 2",
      instead: "recreate etcd machines one after the other, each with a separate `up`",
    },
  ]);
  const weak = judge({ before: external, after: external, recreated: ["etcd-1"], vanished: ["etcd-2", "etcd-3"] });
  assert.deepEqual(properties(weak), ["etcd"]);
  assert.match(weak[0]?.problem ?? "", /only etcd-1 of etcd-1, etcd-2, etcd-3 respond/);
});

test("beside etcd machines, masters may come and go while one of them stays at work", () => {
  const one = ["master-1", ...names("etcd", 3)];
  assert.deepEqual(judge({ before: external, after: one }), []);
  assert.deepEqual(judge({ before: one, after: external }), []);
  assert.deepEqual(judge({ before: external, after: external, recreated: ["master-1"] }), []);
  const both = judge({ before: external, after: external, recreated: ["master-1", "master-2"] });
  assert.deepEqual(properties(both), ["masters"]);
  assert.match(both[0]?.instead ?? "", /one after the other/);
  const stopped = judge({ before: external, after: external, recreated: ["master-1"], stopped: ["master-2"] });
  assert.deepEqual(properties(stopped), ["masters"]);
  assert.match(judge({ before: one, after: one, recreated: ["master-1"] })[0]?.instead ?? "", /grow to two masters/);
});

test("a running stack keeps etcd where it is, and the refusal says the way", () => {
  const stacked = names("master", 3);
  const [toMachines, toMasters] = [
    judge({ before: stacked, after: [...stacked, ...names("etcd", 3)] }),
    judge({ before: external, after: names("master", 2) }),
  ];
  const way = "create another stack with it and restore a backup of etcd there";
  assert.deepEqual(toMachines, [
    {
      property: "etcd",
      problem: "the cluster's data is on master-1, master-2, master-3 and cannot move to machines for etcd",
      instead: `keep pools.etcd.count: 0, or ${way}`,
    },
  ]);
  assert.deepEqual(toMasters, [
    {
      property: "etcd",
      problem: "the cluster's data is on etcd-1, etcd-2, etcd-3 and cannot move to the masters",
      instead: `keep pools.etcd.count: 3, or ${way}`,
    },
  ]);
});
