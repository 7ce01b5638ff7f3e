import assert from "node:assert/strict";
import { test } from "node:test";
import type { VerifyReport } from "../../../model/contract-report";
import { faults } from "../../../verify/faults/all";
import { renderContract } from "../../../verify/render-contract";
import { renderTimeline } from "../../../verify/render-timeline";
import { renderMarkdown, withoutSamples } from "../../../verify/report";
import { summarizeMeasure } from "../../../verify/statistics";
import { examplePlan } from "../../support/example-plans";

const measure = { name: "api-gap", what: "longest gap", unit: "ms", target: 100 } as const;
const timeline = {
  of: "balancer-1",
  faultMs: 1_000,
  samples: [900, 990, 1_010, 1_100, 1_500, 1_510].map((startedMs) => ({
    startedMs,
    error: startedMs > 1_000 && startedMs < 1_500 ? "timeout" : undefined,
  })),
};
const report: VerifyReport = {
  ...{ stack: "lab", driver: "nspawn", movedBy: "pacemaker", rounds: 2, minutes: 10, met: false },
  ...{ commit: "697338e0a1b2c3d4", date: "2026-11-28T06:00:00.000Z", load: 0.4 },
  faults: [
    {
      ...{ name: "balancer-kill", what: "the balancer dies", worst: timeline },
      results: [summarizeMeasure("balancer-kill", measure, [90, 120])],
    },
    { name: "worker-kill", what: "a worker dies", skipped: "the stack has fewer than two workers", results: [] },
    { name: "master-kill", what: "a master dies", failed: "master-1 does not return", results: [] },
    { name: "all-stopped", what: "all stop", broken: "balancer-2: Corosync has no quorum", results: [] },
  ],
};

test("the Markdown table has a row per figure, and the reason for skipped and failed faults", () => {
  const rows = renderMarkdown(report).split("\n").slice(4, 8);
  assert.deepEqual(rows, [
    "| `balancer-kill`: the balancer dies | longest gap | 90 | 120 | 120 | ≤ 100 | NO |",
    "| `worker-kill`: a worker dies | skipped, the stack has fewer than two workers |  |  |  |  |  |",
    "| `master-kill`: a master dies | failed, master-1 does not return |  |  |  |  | NO |",
    "| `all-stopped`: all stop | failed, balancer-2: Corosync has no quorum |  |  |  |  | NO |",
  ]);
});

test("the contract has a column per implementation of failover and marks missed targets", () => {
  const figures = (movedBy: "pacemaker" | "keepalived", values: readonly number[], target?: number): VerifyReport => {
    const { target: promised, ...reportedOnly } = measure;
    const judged = target === undefined ? reportedOnly : { ...reportedOnly, target: promised };
    const results = [summarizeMeasure("isolation", judged, values)];
    return { ...report, movedBy, faults: [{ name: "isolation", what: "a link is down", results }] };
  };
  const lines = renderContract([figures("pacemaker", [90, 120], 100), figures("keepalived", [700])])
    .trim()
    .split("\n");
  assert.deepEqual(lines.slice(-3), [
    "| fault | measure | target | pacemaker: p50 / p95 / max | keepalived: p50 / p95 / max |",
    "| --- | --- | --: | --: | --: |",
    "| `isolation` | longest gap | ≤ 100 ms | 90 / 120 / 120 **missed** | 700 / 700 / 700 |",
  ]);
  assert.match(
    lines[0] ?? "",
    /^- pacemaker, `isolation` only: 2 rounds on `lab`, driver nspawn; commit `697338e`, 2026-11-28, load per core 0\.4\.$/,
  );
});

test("the timeline has a lane per outage: success, failure, success", () => {
  const fills = [...renderTimeline(report).matchAll(/<rect x=[^>]*fill="(#\w+)"/g)].map(([, fill]) => fill);
  assert.deepEqual(fills, ["#3a9d5d", "#d64545", "#3a9d5d"]);
  assert.match(renderTimeline(report), />510 ms</);
});

test("the JSON report has the figures without the samples", () => {
  assert.doesNotMatch(JSON.stringify(withoutSamples(report)), /startedMs/);
});

test("every fault applies to a lab, and some faults apply to a small stack", () => {
  const applicable = (stack: string) =>
    faults.filter((fault) => fault.inapplicable(examplePlan(stack)) === undefined).map(({ name }) => name);
  assert.deepEqual(
    applicable("lab"),
    faults
      .map(({ name }) => name)
      .filter((name) => !["nginx-crash", "etcd-kill", "server-kill", "witness-kill"].includes(name)),
  );
  const ofEtcd = faults.find(({ name }) => name === "etcd-kill");
  assert.equal(ofEtcd?.inapplicable(examplePlan("lab")), "etcd runs on the masters");
  assert.deepEqual(
    ["etcd-kill", "master-kill", "etcd-leader-kill", "quorum-loss"].filter(
      (name) => !applicable("production").includes(name),
    ),
    [],
  );
  const ofPair = [
    "balancer-kill",
    "server-kill",
    "master-kill",
    "etcd-leader-kill",
    "quorum-loss",
    "gateway-kill",
    "witness-kill",
  ];
  assert.deepEqual(
    ofPair.filter((name) => applicable("pair").includes(name)),
    ["balancer-kill", "server-kill", "witness-kill"],
  );
  for (const name of ["etcd-leader-kill", "quorum-loss", "gateway-kill"])
    assert.match(
      faults.find((fault) => fault.name === name)?.inapplicable(examplePlan("pair")) ?? "",
      /see witness-kill/,
    );
  // The gateway is the only machine with etcd, not one of three votes.
  assert.deepEqual(
    ofPair.filter((name) => applicable("single").includes(name)),
    [],
  );
  for (const { name, inapplicable } of faults)
    assert.doesNotMatch(inapplicable(examplePlan("single")) ?? "", /three votes|see witness-kill/, name);
  const nginx = faults.find(({ name }) => name === "nginx-crash");
  const plan = examplePlan("lab");
  assert.equal(nginx?.inapplicable(plan), "the stack has HAProxy instead");
  assert.equal(nginx?.inapplicable({ ...plan, balancing: { ...plan.balancing, program: "nginx" } }), undefined);
  const crashes = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"].map(
    (name) => `${name}-crash`,
  );
  assert.deepEqual(applicable("small"), ["haproxy-crash", ...crashes, "idle-stream", "all-stopped"]);
});

test("the measures of a fault have distinct names, and every count has the target 0 or is reported only", () => {
  for (const fault of faults) {
    const measures = fault.measures(examplePlan("lab"));
    assert.equal(new Set(measures.map(({ name }) => name)).size, measures.length, fault.name);
    for (const { name, unit, target } of measures)
      if (unit === "times" && name !== "token-losses") assert.equal(target, 0, fault.name);
  }
});
