import assert from "node:assert/strict";
import { test } from "node:test";
import { renderKeepalivedConf } from "../../../cloud-init/files/keepalived-conf";
import { nodesOf } from "../../../stacks/plan/data-center-plan";
import { examplePlan } from "../../support/example-plans";

test("a backup that takes over waits for VRRP's minimum, and the two never wait equally long", () => {
  const plan = examplePlan("lab");
  const balancers = nodesOf(plan, "balancer");
  const priorities = balancers.map((node) => Number(/^ *priority (\d+)$/m.exec(renderKeepalivedConf(plan, node))?.[1]));
  assert.equal(new Set(priorities).size, 2);
  // 255 is the owner's, who never waits and never yields; each below it adds a 256th of an advertisement's time.
  for (const priority of priorities) assert.ok(priority < 255 && priority > 250, String(priority));
});
