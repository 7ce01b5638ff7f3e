import assert from "node:assert/strict";
import { test } from "node:test";
import { imageRollOrder, inRollOrder, keepsImage } from "../../../model/image-rolls";
import { type Role, roleNames } from "../../../model/roles";

const reason = (roles: readonly Role[], count: number, driver: "nspawn" | "virtualbox" | "auto" = "nspawn") =>
  keepsImage(roles, () => count, driver);

test("every role has a turn", () => {
  assert.deepEqual([...imageRollOrder].sort(), [...roleNames].sort());
});

test("another image reaches workers, and other nodes that have peers", () => {
  assert.equal(reason(["worker"], 1), undefined);
  for (const role of ["balancer", "storage", "master"] as const) {
    assert.equal(reason([role], 2), undefined);
    assert.match(String(reason([role], 1)), /no other .*; it gets another image when it is recreated$/);
  }
  for (const roles of [["master", "etcd"], ["master", "worker", "etcd"], ["etcd"]] as const) {
    assert.equal(reason(roles, 3), undefined);
    for (const members of [1, 2])
      assert.match(String(reason(roles, members)), /^etcd would have no majority without it; it gets/);
  }
});

test("a node keeps its image if any of its roles does, or if its driver cannot exchange disks", () => {
  for (const roles of [["gateway"], ["gateway", "etcd"]] as const)
    assert.match(String(reason(roles, 3)), /it gets another image when it is recreated$/, String(roles));
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
