import assert from "node:assert/strict";
import { test } from "node:test";
import { renderKeepalivedConf } from "../../../cloud-init/files/keepalived-conf";
import { nodesOf } from "../../../stacks/plan/data-center-plan";
import { examplePlan } from "../../support/example-plans";

test("a backup waits for the minimum of VRRP before it takes over, and the two balancers wait for different times", () => {
  const plan = examplePlan("lab");
  const balancers = nodesOf(plan, "balancer");
  const priorities = balancers.map((node) => Number(/^ *priority (\d+)$/m.exec(renderKeepalivedConf(plan, node))?.[1]));
  assert.equal(new Set(priorities).size, 2);
  // 255 is for an owner, which never waits and never yields. Each step below adds 1/256 of the advertisement interval.
  for (const priority of priorities) assert.ok(priority < 255 && priority > 250, String(priority));
});

test("the holder repeats its announcement, which a neighbour may have missed or forgotten", () => {
  const plan = examplePlan("lab");
  for (const node of nodesOf(plan, "balancer"))
    assert.match(renderKeepalivedConf(plan, node), /^ *vrrp_garp_master_refresh 1$/m);
});
