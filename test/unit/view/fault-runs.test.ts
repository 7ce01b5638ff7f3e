import assert from "node:assert/strict";
import { test } from "node:test";
import { faults as faultTable } from "../../../verify/faults/all";
import { FaultRuns } from "../../../view/fault-runs";
import { chosenFault, offeredFaults, orderIn } from "../../../view/offered-faults";
import { currentRun, describeRun, expectationOf, faultsAt } from "../../../view/picture/faults";
import type { FaultRun, ViewEvent } from "../../../view/picture/state";
import { examplePlan, exampleStacks } from "../../support/example-plans";
import { ScriptedFaults } from "../../support/scripted-faults";
import { ScriptedStack } from "../../support/scripted-stack";

function runsUnderTest(stackName = "lab") {
  const stack = new ScriptedStack(examplePlan(stackName));
  const faults = new ScriptedFaults(stack);
  const seen = {
    runs: [] as readonly FaultRun[],
    phases: [] as string[],
    events: [] as ViewEvent[],
    refused: [] as string[],
  };
  const runs = new FaultRuns(
    faults,
    {
      runs: (all) => {
        seen.runs = all;
        seen.phases.push(all.at(-1)?.phase ?? "");
      },
      refused: (reason) => void seen.refused.push(reason),
      event: (event) => void seen.events.push(event),
    },
    () => 1_000,
  );
  return { stack, faults, runs, seen };
}

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
};

test("every fault of the table that does not break this host is offered on some example, on machines of its stack", () => {
  const offered = new Set<string>();
  for (const name of exampleStacks) {
    const plan = examplePlan(name);
    const machines = plan.nodes.map((node) => node.name);
    for (const { name: fault, breaks, expected, does } of offeredFaults(plan)) {
      offered.add(fault);
      assert.ok(expected.length > 0 && does !== "", `${name}: ${fault}`);
      if (typeof breaks === "string") continue;
      assert.ok(breaks.length > 0, `${name}: ${fault}`);
      for (const each of breaks) assert.ok(machines.includes(each), `${name}: ${fault} ${each}`);
    }
  }
  const missing = faultTable.filter(({ name }) => !offered.has(name)).map(({ name }) => name);
  assert.deepEqual(missing, ["nginx-crash", "saturation"]);
});

test("an order names a fault of the table and the machine that it breaks, and nothing else", () => {
  assert.deepEqual(orderIn('{"fault":"balancer-kill"}'), { fault: "balancer-kill" });
  assert.deepEqual(orderIn('{"fault":"master-kill","machine":"master-1"}'), {
    fault: "master-kill",
    machine: "master-1",
  });
  for (const body of [
    "",
    "{",
    "null",
    "[]",
    '"balancer-kill"',
    "{}",
    '{"fault":1}',
    '{"fault":"a","machine":1}',
    '{"fault":"a","run":"rm"}',
  ])
    assert.equal(orderIn(body), undefined, body);
  const offered = offeredFaults(examplePlan("lab"));
  assert.equal(chosenFault(offered, { fault: "balancer-kill" })?.fault.name, "balancer-kill");
  assert.equal(chosenFault(offered, { fault: "master-kill", machine: "master-2" })?.machine, "master-2");
  for (const order of [
    { fault: "saturation" },
    { fault: "constructor" },
    { fault: "server-kill", machine: "master-1" },
    { fault: "balancer-kill", machine: "balancer-2" },
    { fault: "master-kill" },
    { fault: "master-kill", machine: "worker-1" },
    { fault: "master-kill", machine: "master-1; reboot" },
  ])
    assert.equal(chosenFault(offered, order), undefined, JSON.stringify(order));
});

test("a fault is told when it is asked for, when it breaks, with its figures, and when it is put back", async () => {
  const { faults, runs, seen } = runsUnderTest();
  assert.deepEqual(await runs.order({ fault: "balancer-kill" }), { status: 202, text: "the fault will be injected" });
  await until(() => !runs.isRunning);
  assert.deepEqual(seen.phases, ["preparing", "broken", "restoring", "ended"]);
  assert.deepEqual(
    seen.events.map(({ kind, of, text }) => `${kind} ${of} ${text}`),
    [
      "test balancer-kill is asked for on the page",
      "test balancer-kill begins on balancer-1: the balancer with the floating IP loses its network, then its power",
      "test balancer-kill measured longest time without an API response: 846 ms, expected at most 1.00 s",
      "test balancer-kill measured lost acknowledged writes: none, expected none",
      "test balancer-kill has ended: everything is put back",
    ],
  );
  const [run] = seen.runs;
  assert.ok(run);
  assert.equal(run.of, "balancer-1");
  assert.match(describeRun(run), /as expected, and everything is put back/);
  const offer = faults.offered.find(({ name }) => name === "balancer-kill");
  assert.ok(offer);
  assert.match(expectationOf({ runs: [] }, offer).origin, /^lab, 3 rounds, commit/);
  assert.deepEqual(expectationOf({ runs: [run] }, offer), { figures: run.figures, origin: "this stack, on this page" });
  assert.equal(currentRun({ runs: [run] }), undefined);
});

test("a missed target is named", async () => {
  const { faults, runs, seen } = runsUnderTest();
  faults.measuredMs = 2_300;
  await runs.order({ fault: "balancer-kill" });
  await until(() => !runs.isRunning);
  const [run] = seen.runs;
  assert.deepEqual(
    run?.figures.map(({ measured, met }) => `${measured} ${met}`),
    ["2.30 s false", "none true"],
  );
  assert.match(run ? describeRun(run) : "", /Not everything is as expected/);
});

test("only one fault at a time is injected, and none on a protected stack", async () => {
  const { faults, runs, seen } = runsUnderTest();
  let end = (_: unknown): void => {};
  faults.held = new Promise((resolve) => {
    end = resolve;
  });
  const answers = await Promise.all([runs.order({ fault: "balancer-kill" }), runs.order({ fault: "planned-move" })]);
  assert.deepEqual(
    answers.map(({ status }) => status),
    [202, 409],
  );
  assert.equal((await runs.order({ fault: "gateway-kill", machine: "gateway" })).status, 409);
  assert.equal(runs.orderEnd({ fault: "planned-move" }).status, 409);
  end(undefined);
  await until(() => !runs.isRunning);
  faults.reason = "lab is protected";
  assert.deepEqual(await runs.order({ fault: "planned-move" }), { status: 409, text: "lab is protected" });
  assert.deepEqual(seen.refused, ["", "lab is protected"]);
  assert.deepEqual(
    faults.injected.map(({ fault }) => fault.name),
    ["balancer-kill"],
  );
});

test("a fault that is ended early, or whose view ends, is put back first", async () => {
  for (const how of ["order", "close"] as const) {
    const { faults, runs, seen } = runsUnderTest();
    faults.held = new Promise(() => {});
    await runs.order({ fault: "balancer-kill" });
    if (how === "order") assert.equal(runs.orderEnd({ fault: "balancer-kill" }).status, 202);
    else await runs.close();
    await until(() => !runs.isRunning);
    assert.deepEqual(faults.restored, ["balancer-kill"]);
    assert.match(seen.runs[0] ? describeRun(seen.runs[0]) : "", /^It was ended early, and everything is put back/);
    if (how === "close") assert.equal((await runs.order({ fault: "planned-move" })).status, 409);
  }
});

test("faults are offered where they break something now", () => {
  const { faults } = runsUnderTest();
  const view = { faults: faults.offered, runs: [], holders: ["balancer-2"], leaders: { etcd: "master-3" } };
  const at = (machine?: string) => faultsAt(view, machine).map(({ name }) => name);
  assert.ok(at("balancer-2").includes("balancer-kill"));
  assert.deepEqual(at("balancer-1"), []);
  assert.ok(at("master-3").includes("etcd-leader-kill"));
  assert.ok(!at("master-1").includes("etcd-leader-kill") && at("master-1").includes("master-kill"));
  assert.deepEqual(at("worker-1"), ["worker-kill"]);
  assert.deepEqual(at("storage-1"), ["storage-kill"]);
  assert.deepEqual(at("gateway"), ["gateway-kill"]);
  assert.deepEqual(at(), ["quorum-loss", "idle-stream", "all-stopped"]);
});
