import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import {
  evictionSeconds,
  imageRollOrder,
  inRollOrder,
  keepsImage,
  rolesAlone,
  rollTurns,
} from "../../../model/image-rolls";
import { type Role, roleNames } from "../../../model/roles";

const reason = (
  roles: readonly Role[],
  count: number,
  driver: "nspawn" | "virtualbox" | "qemu" | "fake" | "auto" = "nspawn",
) => keepsImage(roles, () => count, driver);

test("every role has a turn", () => {
  assert.deepEqual([...imageRollOrder].sort(), [...roleNames].sort());
});

test("another image reaches gateways, balancers and workers, and other nodes that have peers", () => {
  for (const role of ["gateway", "balancer", "storage", "worker"] as const) {
    assert.equal(reason([role], 1), undefined);
    assert.deepEqual(
      rolesAlone([role], () => 1),
      [role],
    );
    assert.deepEqual(
      rolesAlone([role], () => 2),
      [],
    );
  }
  assert.equal(reason(["master"], 2), undefined);
  assert.match(String(reason(["master"], 1)), /no other .*; it gets another image when it is recreated$/);
  for (const roles of [["master", "etcd"], ["master", "worker", "etcd"], ["etcd"]] as const) {
    assert.equal(reason(roles, 3), undefined);
    for (const members of [1, 2])
      assert.match(String(reason(roles, members, "qemu")), /^etcd would have no majority without it; it gets/);
  }
});

test("another image reaches the only master with the data of etcd, on a driver whose tests have moved them", () => {
  for (const roles of [
    ["master", "etcd"],
    ["master", "worker", "etcd"],
  ] as const) {
    for (const driver of ["nspawn", "fake"] as const) assert.equal(reason(roles, 1, driver), undefined);
    for (const driver of ["qemu", "auto"] as const) assert.match(String(reason(roles, 1, driver)), /^etcd would have/);
    // A cluster of two masters, or with machines of etcd.
    for (const several of ["master", "etcd"] as const)
      assert.notEqual(
        keepsImage(roles, (role) => (role === several ? 2 : 1), "fake"),
        undefined,
      );
  }
  assert.match(String(reason(["master", "etcd", "storage"], 1, "fake")), /^etcd would have no majority/);
  assert.match(String(reason(["gateway", "master", "etcd"], 1, "fake")), /^etcd would have no majority/);
});

test("a node keeps its image if any of its roles does, or if its driver cannot exchange disks", () => {
  for (const roles of [
    ["gateway", "etcd"],
    ["gateway", "balancer", "master", "etcd", "worker"],
  ] as const) {
    assert.equal(
      keepsImage(roles, (role) => (role === "gateway" ? 1 : 3), "nspawn"),
      undefined,
    );
    assert.match(String(reason(roles, 1)), /^etcd would have no majority without it; .* when it is recreated$/);
  }
  assert.match(String(reason(["worker"], 2, "virtualbox")), /machines of the driver virtualbox/);
  assert.equal(reason(["worker"], 2, "auto"), undefined);
});

test("nodes are in the order of their first turn", () => {
  const nodes = [["worker"], ["master"], ["master", "etcd", "worker"], ["etcd"], ["balancer"]] as const;
  assert.deepEqual(
    inRollOrder(nodes.map((roles) => ({ roles }))).map(({ roles }) => roles),
    [["balancer"], ["master", "etcd", "worker"], ["etcd"], ["master"], ["worker"]],
  );
});

test("workers share turns, up to the number of the configuration, and other nodes have one alone", () => {
  const set = fc.subarray([...roleNames], { minLength: 1 }).map((roles) => ({ roles }));
  const workers = fc.array(fc.constant({ roles: ["worker"] as Role[] }), { maxLength: 20 });
  fc.assert(
    fc.property(fc.array(set), workers, fc.integer({ min: 1, max: 7 }), (others, pool, most) => {
      const nodes = [...others, ...pool];
      const turns = rollTurns(nodes, most);
      assert.deepEqual(turns.flat(), inRollOrder(nodes), "each node once, in the order of the roll");
      for (const turn of turns) {
        assert.ok(turn.length >= 1 && turn.length <= most);
        if (turn.length > 1) assert.ok(turn.every(({ roles }) => roles.join() === "worker"));
      }
      const ofWorkers = turns.filter(([first]) => first?.roles.join() === "worker");
      const count = nodes.filter(({ roles }) => roles.join() === "worker").length;
      assert.equal(ofWorkers.length, Math.ceil(count / most));
    }),
  );
});

test("nodes of one turn have longer for evictions that their budgets delay, but not for hours", () => {
  assert.deepEqual([1, 2, 5, 1000].map(evictionSeconds), [90, 180, 450, 450]);
});
