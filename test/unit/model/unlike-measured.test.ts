import assert from "node:assert/strict";
import { test } from "node:test";
import { unlikeMeasured } from "../../../model/measured/unlike-measured";
import { roleNames } from "../../../model/roles";
import { examplePlan } from "../../support/example-plans";

test("the figures are those of the examples lab and small", () => {
  for (const stack of ["lab", "small"]) {
    const { settings } = examplePlan(stack);
    for (const role of roleNames)
      for (const driver of ["auto", "nspawn"] as const)
        assert.equal(unlikeMeasured([role], driver, settings), undefined);
  }
});

test("they are not those of virtual machines, nor of nodes that run other programs", () => {
  assert.equal(unlikeMeasured(["worker"], "qemu", {}), "on the driver qemu");
  const settings = { distribution: "ubuntu" };
  assert.equal(unlikeMeasured(["storage"], "nspawn", settings), "with distribution: ubuntu");
  const others = {
    "options.runtime": "docker",
    "options.controlPlane": "services",
    "options.balancer": "nginx",
    "options.failoverBy": "keepalived",
  };
  const of = (role: (typeof roleNames)[number]) => unlikeMeasured([role], "auto", others);
  assert.equal(of("worker"), "with options.runtime: docker");
  assert.equal(of("etcd"), "with options.controlPlane: services");
  assert.equal(of("balancer"), "with options.balancer: nginx");
  assert.equal(of("storage"), undefined);
  assert.equal(
    unlikeMeasured(["balancer"], "nspawn", { "options.failoverBy": "keepalived" }),
    "with options.failoverBy: keepalived",
  );
});
