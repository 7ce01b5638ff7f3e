import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { renderNodeSeed } from "../../cloud-init/render-node-seed";
import { balancerNames, balancers } from "../../model/balancers";
import { nodesOf } from "../../stacks/plan/data-center-plan";
import { planDataCenter } from "../../stacks/plan/plan-data-center";
import { validConfiguration } from "../support/arbitrary-configuration";

const movers = { pacemaker: "pacemaker.service", keepalived: "keepalived.service", static: undefined };

test("any legal configuration renders, with one program that forwards and one that moves the floating IP", () => {
  fc.assert(
    fc.property(validConfiguration, (configuration) => {
      const plan = planDataCenter(configuration);
      const { program, movedBy } = plan.balancing;
      for (const node of [...nodesOf(plan, "gateway"), ...nodesOf(plan, "balancer")]) {
        const { files } = renderNodeSeed(plan, node);
        const target = files.find(({ path }) => path.endsWith("/groundplane.target"))?.content ?? "";
        const wanted = /^Wants=(.*)$/m.exec(target)?.[1]?.split(" ") ?? [];
        const forwards = balancerNames.filter((name) => wanted.includes(`${balancers[name].unit}.service`));
        const moves = Object.values(movers).filter((unit) => unit !== undefined && wanted.includes(unit));
        const isBalancer = node.roles.includes("balancer");
        assert.deepEqual(forwards, isBalancer ? [program] : []);
        const expected = isBalancer || movedBy === "pacemaker" ? movers[movedBy] : undefined;
        assert.deepEqual(moves, expected === undefined ? [] : [expected]);
        if (isBalancer) assert.ok(files.some(({ path }) => path === balancers[program].configuration));
      }
    }),
    { numRuns: 40 },
  );
});
