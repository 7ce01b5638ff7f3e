import assert from "node:assert/strict";
import { test } from "node:test";
import { imageRollOrder, keepsImage } from "../../../model/image-rolls";
import { type Role, roleNames } from "../../../model/roles";

const reason = (roles: readonly Role[], count: number, driver: "nspawn" | "virtualbox" | "auto" = "nspawn") =>
  keepsImage(roles, () => count, driver);

test("every role has a turn", () => {
  assert.deepEqual([...imageRollOrder].sort(), [...roleNames].sort());
});

test("another image reaches workers, and balancers and storage machines that have peers", () => {
  assert.equal(reason(["worker"], 1), undefined);
  for (const role of ["balancer", "storage"] as const) {
    assert.equal(reason([role], 2), undefined);
    assert.match(String(reason([role], 1)), /no other .*; it gets another image when it is recreated$/);
  }
});

test("a node keeps its image if any of its roles does, or if its driver cannot exchange disks", () => {
  for (const roles of [["gateway"], ["master", "etcd"], ["master", "worker"], ["etcd"]] as const)
    assert.match(String(reason(roles, 3)), /it gets another image when it is recreated$/, String(roles));
  assert.match(String(reason(["worker"], 2, "virtualbox")), /machines of the driver virtualbox/);
  assert.equal(reason(["worker"], 2, "auto"), undefined);
});
