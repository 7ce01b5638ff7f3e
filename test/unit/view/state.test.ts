import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyState } from "../../../view/live-view";
import { observed } from "../../../view/observed";
import { changedParts, eventsBetween, MOST_EVENTS, withEvents } from "../../../view/picture/changes";
import { conditionOf, describeMachine, dutiesOf } from "../../../view/picture/condition";
import type { ProbeSample, ViewState } from "../../../view/picture/state";
import { bucketsOf, outagesIn, renderTimeLine } from "../../../view/picture/time-line";
import { topologyOf } from "../../../view/topology";
import { examplePlan } from "../../support/example-plans";
import { ScriptedStack } from "../../support/scripted-stack";

async function stateOf(stack: ScriptedStack): Promise<ViewState> {
  const topology = topologyOf(stack.plan);
  const now = observed(stack.plan.stack, "fake", await stack.askAll(), "2026-01-01T00:00:00.000Z");
  return { ...emptyState(topology, "fake"), ...now };
}

const machine = (state: ViewState, name: string) => {
  const found = state.topology.machines.find((each) => each.name === name);
  assert.ok(found);
  return found;
};

test("a healthy stack has one holder, three leaders and healthy machines", async () => {
  const state = await stateOf(new ScriptedStack(examplePlan("lab")));
  assert.deepEqual(state.holders, ["balancer-1"]);
  assert.deepEqual(Object.keys(state.leaders).sort(), ["etcd", "kube-controller-manager", "kube-scheduler"]);
  for (const each of state.topology.machines) assert.equal(conditionOf(state, each), "healthy", each.name);
  assert.deepEqual(dutiesOf(state, "master-3"), ["leads etcd"]);
  assert.match(describeMachine(state, machine(state, "balancer-1")), /^balancer-1, balancer, \S+: healthy; holds \S+$/);
});

test("a machine is down, degraded, draining or silent by the rows of health", async () => {
  const stack = new ScriptedStack(examplePlan("lab"));
  stack.stopped.add("storage-1");
  stack.problems.set("balancer-2", { services: "haproxy is inactive" });
  stack.cordoned.add("worker-1");
  const state = await stateOf(stack);
  const shown = ["storage-1", "balancer-2", "worker-1", "worker-2"].map((name) =>
    conditionOf(state, machine(state, name)),
  );
  assert.deepEqual(shown, ["down", "degraded", "draining", "healthy"]);
});

test("a problem of worker-10 is none of worker-1", async () => {
  const state = await stateOf(new ScriptedStack(examplePlan("lab")));
  const findings = [
    { of: "worker-10", state: "unhealthy", observed: "kubelet is inactive" },
    { of: "worker-1", state: "unknown", observed: "no answer" },
  ] as const;
  const checks = state.checks.map((each) => (each.check === "services" ? { ...each, findings } : each));
  assert.equal(conditionOf({ ...state, checks }, machine(state, "worker-1")), "silent");
});

test("a failover is told as a fault and a move, and only what changed is sent", async () => {
  const stack = new ScriptedStack(examplePlan("lab"));
  const before = await stateOf(stack);
  stack.kill("balancer-1");
  const after = await stateOf(stack);
  const told = eventsBetween(before, after, 5).map(({ kind, of, text }) => `${kind}: ${of} ${text}`);
  assert.ok(told.includes("fault: balancer-1 is stopped"), told.join("\n"));
  assert.ok(told.includes("failover: floating IP moves from balancer-1 to balancer-2"), told.join("\n"));
  assert.ok(!told.some((text) => text.includes("unknown")), told.join("\n"));
  const parts = changedParts(before, after) ?? {};
  assert.deepEqual(parts.holders, ["balancer-2"]);
  assert.ok(!("pods" in parts) && !("driver" in parts));
  assert.equal(changedParts(after, after), undefined);
});

test("the first observation is no news, and old events make room", async () => {
  const state = await stateOf(new ScriptedStack(examplePlan("single")));
  assert.deepEqual(eventsBetween(undefined, state, 1), []);
  const many = Array.from({ length: MOST_EVENTS + 5 }, (_, atMs) => ({
    atMs,
    kind: "health" as const,
    of: "a",
    text: "b",
  }));
  assert.equal(withEvents(state, many).events[0]?.atMs, 5);
});

const sample = (atMs: number, outcome: ProbeSample["outcome"] = "answered"): ProbeSample => ({
  of: "api",
  atMs,
  outcome,
  tookMs: 4,
});

test("the time line has a column for each 100 ms, and the outages", () => {
  const samples = [
    sample(0),
    sample(100),
    sample(200, "unanswered"),
    sample(300, "unanswered"),
    sample(400, "late"),
    sample(500),
  ];
  assert.deepEqual(
    bucketsOf(samples, 0, 700).map(({ outcome }) => outcome),
    ["answered", "answered", "unanswered", "unanswered", "late", "answered", "none"],
  );
  assert.deepEqual(outagesIn(samples), [{ fromMs: 100, toMs: 400 }]);
  assert.deepEqual(outagesIn([sample(0), sample(100, "unanswered")]), [{ fromMs: 0, toMs: 100 }]);
  assert.deepEqual(outagesIn([]), []);
});

test("the saved time line has a lane for each target that was probed, with its outages", () => {
  const service = [sample(0), sample(100, "unanswered"), sample(200)].map((each) => ({
    ...each,
    of: "service" as const,
  }));
  const svg = renderTimeLine("lab", [sample(0), sample(200), ...service], []);
  assert.match(svg, />API<[\s\S]*>Service<[\s\S]*>200 ms without an answer</);
  assert.ok(!svg.includes(">Volume<"));
});

test("the saved time line escapes what it shows", () => {
  const events = [{ atMs: 100, kind: "fault" as const, of: "<b>", text: "a & b" }];
  const svg = renderTimeLine("<lab>", [sample(0), sample(200)], events);
  assert.match(svg, /^<svg /);
  assert.ok(!svg.includes("<b>") && !svg.includes("<lab>") && svg.includes("a &#38; b"));
});
