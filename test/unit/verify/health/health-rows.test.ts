import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { healthCheckNames, healthChecks } from "../../../../model/health-checks";
import { primaryRole, roleNames } from "../../../../model/roles";
import { healthy, type MachineAnswers, makeRow, unhealthy, unknown } from "../../../../verify/health/findings";
import { areHealthy, healthRows, type StackAnswers } from "../../../../verify/health/health-rows";
import { AnswerReader, questionsOf, volumeQuestions } from "../../../../verify/health/questions";
import { brokenElsewhere } from "../../../support/broken-elsewhere";
import { examplePlan } from "../../../support/example-plans";

const plan = examplePlan("lab");
const reason = "the API does not respond: ECONNREFUSED";

/** A stack whose machines run and say nothing. */
const silent: StackAnswers = {
  unfinished: undefined,
  inventory: plan.nodes.map(({ name, roles, address, fqdn }) => ({
    ...{ name, role: primaryRole(roles), roles, address, fqdn, macs: [], hostKey: "" },
  })),
  machines: plan.nodes.map(({ name, roles }): MachineAnswers => {
    return { name, roles, power: "running", answers: new Map(), silence: "no response within 10000 ms" };
  }),
  volume: { name: "storage-1", roles: ["storage"], power: "running", answers: new Map(), silence: "no response" },
  cluster: {
    nodes: { reason },
    pods: { reason },
    workloads: { reason },
    leases: { "kube-scheduler": { reason }, "kube-controller-manager": { reason } },
  },
  addOns: {
    metrics: { reason },
    services: { reason },
    announced: { reason },
    slices: { reason },
    registry: { reason },
  },
  objects: [unknown("cluster", reason)],
  apiEndpoint: "https://127.0.0.1:20000",
  administratorEndMs: Number.NaN,
  authority: { name: "", endMs: Number.NaN },
  nowMs: 0,
};

test("without answers no row is healthy, and each has findings, a meaning and a next step", () => {
  const rows = healthRows(silent);
  assert.deepEqual(
    rows.map(({ check }) => check),
    healthCheckNames,
  );
  for (const { check, state, findings, means, next } of rows) {
    const expected = { power: "healthy", api: "unhealthy" }[check as string] ?? "unknown";
    assert.equal(state, expected, check);
    assert.ok(findings.length > 0 && means !== "" && next !== "", check);
  }
  assert.ok(!areHealthy(rows));
});

test("machines that are off are named by the row of power, and leave the other rows unknown", () => {
  const machines = silent.machines.map((machine) => ({ ...machine, power: "stopped" as const, silence: "is stopped" }));
  const rows = healthRows({ ...silent, machines });
  const power = rows.find(({ check }) => check === "power");
  assert.match(power?.summary ?? "", /^gateway, balancer-1, .*: is stopped$/);
  assert.equal(rows.find(({ check }) => check === "services")?.state, "unknown");
});

test("machines that stand still for a snapshot say so, and a machine that runs does not", () => {
  const [first, ...others] = silent.machines;
  const machines = [...(first ? [first] : []), ...others.map((machine) => ({ ...machine, power: "stopped" as const }))];
  for (const [isInterrupted, told] of [
    [false, "is under way"],
    [true, "was interrupted"],
  ] as const) {
    const rows = healthRows({ ...silent, machines, unfinished: { name: "s", change: "creation", isInterrupted } });
    const summary = rows.find(({ check }) => check === "power")?.summary ?? "";
    assert.match(summary, new RegExp(`^balancer-1, .*: is stopped: the creation of the snapshot s ${told}$`));
  }
});

test("a row has the state of its worst finding, and a row without findings does not apply", () => {
  assert.equal(makeRow("dns", [healthy("a", "answers"), unknown("b", "silent")]).state, "unknown");
  const row = makeRow("dns", [
    healthy("a", "answers"),
    unknown("b", "silent"),
    unhealthy("c", "no\nmore"),
    unhealthy("d", "no"),
  ]);
  assert.equal(row.state, "unhealthy");
  assert.equal(row.summary, "c: no; d: no");
  assert.equal(makeRow("bricks", []).state, "inapplicable");
  assert.ok(areHealthy([makeRow("bricks", []), makeRow("dns", [healthy("a", "")])]));
});

test("each row that the lab's test does not break has a file that breaks it", () => {
  for (const [check, file] of Object.entries(brokenElsewhere)) {
    assert.ok(fs.readFileSync(file, "utf8").includes(check), `${file} does not name ${check}`);
  }
});

test("machines that renew certificates are asked for them, also those of etcd alone", () => {
  for (const role of ["balancer", "master", "etcd", "worker"] as const) {
    assert.ok(questionsOf([role]).includes("certificates"), role);
  }
});

test("what is not promised has no effect on the exit code", () => {
  assert.ok(areHealthy([makeRow("etcd-disk", [unhealthy("master-1", "slow")])]));
  assert.ok(!areHealthy([makeRow("etcd-alarms", [unhealthy("master-1", "NOSPACE")])]));
  assert.ok(!areHealthy([makeRow("etcd-alarms", [unknown("master-1", "silent")])]));
});

test("every row that is asked of roles has a finding about each machine with them, and about no other", () => {
  const ofVolume = ["bricks", "heals", "split-brain"];
  for (const { check, findings } of healthRows(silent)) {
    const { of } = healthChecks[check];
    if (of.length === 0) continue;
    const asked = plan.nodes.filter(({ roles }) => roles.some((role) => of.includes(role))).map(({ name }) => name);
    const found = findings.map((finding) => finding.of).filter((name) => name !== "kubeconfig");
    // One storage machine answers for all.
    assert.deepEqual(found, ofVolume.includes(check) ? asked.slice(0, 1) : asked, check);
  }
  for (const role of roleNames) assert.ok(questionsOf([role]).includes("services"), role);
  for (const question of volumeQuestions) assert.ok(!questionsOf(["storage"]).includes(question));
});

test("answers are read line by line; one that has not ended does not count", () => {
  let now = 1_795_000_000_500;
  const reader = new AnswerReader(1_795_000_000_000, () => now);
  for (const line of ["noise", "@ask clock", "1795000000100", "shared", "", "@end 0"]) reader.read(line);
  assert.deepEqual(reader.answers.get("clock"), { code: 0, text: "1795000000100\nshared", skewMs: 0 });
  now += 1_000;
  for (const line of ["@ask services", "a", "", "b", "", "@end 1", "@ask other", "@end 0", "@ask dns", "half"])
    reader.read(line);
  assert.deepEqual(reader.answers.get("services"), { code: 1, text: "a\n\nb" });
  assert.deepEqual([...reader.answers.keys()], ["clock", "services"]);
});

test("the clock's difference counts beyond the time that the answer took", () => {
  const skewOf = (line: string): number | undefined => {
    const reader = new AnswerReader(1_795_000_000_000, () => 1_795_000_001_000);
    for (const each of ["@ask clock", line, "@end 0"]) reader.read(each);
    return reader.answers.get("clock")?.skewMs;
  };
  assert.equal(skewOf("1795000000900"), 0);
  assert.equal(skewOf("1794999990000"), 10_000);
  assert.equal(skewOf("1795000011000"), 10_000);
  assert.equal(skewOf("date: not found"), undefined);
});
