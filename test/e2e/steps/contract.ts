import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { parseDocument } from "yaml";
import type { VerifyReport } from "../../../model/contract-report";
import { mustSucceed } from "../../support/cluster-under-test";
import { type LabUnderTest, type Step, secondsSince } from "../lab-under-test";

/** Five times a target: a machine that runs all tests is too busy for exact times, but no outage may be much longer. */
const PATIENCE = 5;

/** The short form of the contract. The long form is a bench. */
export const contractIsKept: Step = async (lab, t) => {
  const started = performance.now();
  const report = await verify(lab, "balancer-kill,isolation,partition,master-kill,storage-kill");
  t.diagnostic(`the contract took ${secondsSince(started)}`);
  for (const { fault, name, p50, max, target, unit } of resultsOf(report)) {
    t.diagnostic(`${fault} ${name}: p50 ${p50}, max ${max}, target ${target}`);
    if (target !== undefined) assert.ok(max <= target * (unit === "ms" ? PATIENCE : 1), `${fault} ${name}: ${max}`);
  }
};

const resultsOf = ({ faults }: VerifyReport) => faults.flatMap(({ results }) => results);

async function verify({ cluster }: LabUnderTest, faults: string): Promise<VerifyReport> {
  const file = path.join(cluster.project.data, "verify.json");
  const output = await cluster.groundplane("verify", "--only", faults, "--rounds", "1", "--json", file);
  if (!fs.existsSync(file)) mustSucceed("groundplane verify", output);
  const report = JSON.parse(fs.readFileSync(file, "utf8")) as VerifyReport;
  fs.rmSync(file);
  assert.equal(output.exitCode, report.met ? 0 : 1);
  assert.deepEqual(
    report.faults.map(({ name, skipped }) => skipped ?? name),
    faults.split(","),
  );
  return report;
}

/** Faults are not injected into a stack that its owner has marked as protected. */
export const protectedIsLeftAlone: Step = async ({ cluster }) => {
  const file = cluster.project.stackFile(cluster.stack);
  const before = fs.readFileSync(file, "utf8");
  const settings = parseDocument(before);
  settings.setIn(["config", "groundplane:dataCenter", "options"], { protected: true });
  fs.writeFileSync(file, settings.toString());
  try {
    const { exitCode, stderr } = await cluster.groundplane("verify", "--only", "balancer-kill");
    assert.equal(exitCode, 1);
    assert.match(stderr, /is protected/);
  } finally {
    fs.writeFileSync(file, before);
  }
};
