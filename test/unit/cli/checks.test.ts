import assert from "node:assert/strict";
import { test } from "node:test";
import { ok, problem, runChecks } from "../../../cli/checks/check";
import { describeFoundSources } from "../../../cli/checks/part-checks";
import { renderFinding } from "../../../cli/commands/doctor";
import { UserError } from "../../../provider/host/user-error";

test("a check that fails keeps no other from being made", async () => {
  const findings = await runChecks({
    first: () => Promise.reject(new UserError("no-pulumi", "Pulumi is not here", "run npm start")),
    second: async () => [ok("second", "all is well")],
    third: () => Promise.reject(new Error("boom")),
  });
  assert.deepEqual(findings, [
    { id: "no-pulumi", state: "problem", text: "Pulumi is not here", hint: "run npm start" },
    { id: "second", state: "ok", text: "all is well" },
    { id: "third", state: "problem", text: "cannot be checked: boom", hint: "report this fault" },
  ]);
});

test("a finding shows its next step below it", () => {
  assert.equal(renderFinding(ok("driver", "driver nspawn")), "ok      driver nspawn");
  assert.equal(
    renderFinding(problem("not-root", "two\nlines", "use sudo")),
    "PROBLEM two\n        lines\n          next step: use sudo",
  );
});

test("a source that cannot be used is a warning only while no other has what it would give", () => {
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
});
