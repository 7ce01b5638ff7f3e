import assert from "node:assert/strict";
import { test } from "node:test";
import { renderFinding, runChecks } from "../../../cli/commands/doctor";
import { judgeDiskSpace, judgeFailover, judgeGrowth, judgeMemory } from "../../../hypervisors/checks/capacity";
import { describeFoundSources } from "../../../image/checks";
import { ok, problem } from "../../../model/host-finding";
import { UserError } from "../../../model/user-error";
import { exampleConfiguration } from "../../support/example-stacks";

test("a failed check does not prevent other checks", async () => {
  const findings = await runChecks({
    first: () => Promise.reject(new UserError("no-pulumi", "Pulumi is not here", "run npm start")),
    second: async () => [ok("second", "all is well")],
    third: () => Promise.reject(new Error("boom")),
  });
  assert.deepEqual(findings, [
    { id: "no-pulumi", state: "problem", text: "Pulumi is not here", hint: "run npm start" },
    { id: "second", state: "ok", text: "all is well" },
    {
      id: "third",
      state: "problem",
      text: "the check failed: boom",
      hint: "this is an internal error, please report it",
    },
  ]);
});

test("a finding shows its next step below it", () => {
  assert.equal(renderFinding(ok("driver", "driver nspawn")), "ok      driver nspawn");
  assert.equal(
    renderFinding(problem("not-root", "two\nlines", "use sudo")),
    "PROBLEM two\n        lines\n          next step: use sudo",
  );
});

test("an unusable source is a warning only if no other source has its parts", () => {
  const debian = { name: "debian", usable: true, reason: "packages are fetched" };
  const upstream = { name: "upstream", usable: false, reason: "it does not answer" };
  const source = { name: "source", usable: true, reason: "Go builds it" };
  assert.deepEqual(
    describeFoundSources([debian, upstream, source]).map(({ state }) => state),
    ["ok", "ok", "ok"],
  );
  const [, alone] = describeFoundSources([debian, upstream]);
  assert.equal(alone?.state, "warning");
  assert.match(alone?.hint ?? "", /bundle load/);
  const files = { name: "files", usable: true, reason: "1 files have been added" };
  assert.equal(describeFoundSources([files, upstream])[1]?.state, "warning");
});

const none = { count: 0, cpus: 1, memoryMiB: 512, diskGiB: 10, disks: [], volumes: {} };

test("containers may share the available memory, virtual machines must fit the host", () => {
  const state = (sharesKernel: boolean, plannedMiB: number) =>
    judgeMemory(
      { workers: { ...none, count: 2, memoryMiB: plannedMiB / 2 } },
      { sharesKernel, availableMiB: 8_000, totalMiB: 16_000 },
    ).state;
  for (const sharesKernel of [true, false]) {
    assert.equal(state(sharesKernel, 8_000), "ok");
    assert.equal(state(sharesKernel, 12_000), "warning");
  }
  assert.equal(state(true, 20_000), "warning");
  assert.equal(state(false, 20_000), "problem");
});

test("disks of virtual machines count with their maximum size", () => {
  const storage = { ...none, count: 3, disks: [{ name: "brick", sizeGiB: 4 }] };
  const pools = { gateway: { ...none, count: 1 }, balancers: none, masters: none, workers: none, storage };
  assert.equal(judgeGrowth(pools, 52).state, "ok");
  const { state, text } = judgeGrowth(pools, 51.5);
  assert.equal(state, "warning");
  assert.match(text, /grow to 52 GiB, 51\.5 GiB are free/);
});

test("a slow host gets the advice `failover: calm`, unless the stack is calm or has no failover", () => {
  const lab = exampleConfiguration("lab");
  const calm = { ...lab, options: { ...lab.options, failover: "calm" } } as const;
  const pace = { stallMs: 20, loadPerCore: 0.4, isEmulated: false };
  const states = [
    judgeFailover(lab, pace),
    judgeFailover(lab, { ...pace, stallMs: 180 }),
    judgeFailover(lab, { ...pace, loadPerCore: 3 }),
    judgeFailover(calm, { stallMs: 180, loadPerCore: 3, isEmulated: true }),
    judgeFailover(exampleConfiguration("small"), { ...pace, stallMs: 180 }),
    judgeFailover(exampleConfiguration("small"), { ...pace, isEmulated: true }),
  ].map(({ state }) => state);
  assert.deepEqual(states, ["ok", "warning", "warning", "ok", "ok", "warning"]);
  assert.match(judgeFailover(lab, { ...pace, stallMs: 180 }).hint ?? "", /failover: calm/);
});

test("a host needs disk space for its machines and for missing images", () => {
  assert.equal(judgeDiskSpace("/data", 5, true).state, "ok");
  const { state, text } = judgeDiskSpace("/data", 5, false);
  assert.equal(state, "problem");
  assert.match(text, /^\/data has 5\.0 GiB of free space, 16 GiB are required$/);
});
