import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import type { TestContext } from "node:test";
import type { MeasureResult, VerifyReport } from "../../model/contract-report";
import { type ClusterUnderTest, mustSucceed } from "./cluster-under-test";

/**
 * One round of `groundplane verify`. Returns the figures, and shows them in the test's report. Fails if a fault was skipped or
 * could not be injected, or if the exit code contradicts the report. A missed target is no failure here.
 */
export async function verifyStack(
  cluster: ClusterUnderTest,
  t: TestContext,
  faults: readonly string[],
): Promise<readonly MeasureResult[]> {
  const file = path.join(cluster.project.data, "verify.json");
  const words = ["verify", "--only", faults.join(), "--rounds", "1", "--json", file];
  const output = await cluster.groundplane(...words);
  if (!fs.existsSync(file)) mustSucceed("groundplane verify", output);
  const report = JSON.parse(fs.readFileSync(file, "utf8")) as VerifyReport;
  fs.rmSync(file);
  const results = report.faults.flatMap((fault) => fault.results);
  for (const { fault, name, unit, max, target } of results)
    t.diagnostic(`${fault} ${name}: ${max} ${unit}, target ${target ?? "none"}`);
  const problems = report.faults.flatMap(({ name, skipped, failed, broken }) =>
    [skipped, failed, broken].flatMap((reason) => (reason === undefined ? [] : [`${name}: ${reason}`])),
  );
  assert.deepEqual(problems, [], output.stdout + output.stderr);
  assert.deepEqual(
    report.faults.map(({ name }) => name),
    faults,
  );
  for (const fault of report.faults) assert.ok(fault.results.length > 0, `${fault.name} measured nothing`);
  assert.equal(output.exitCode, report.met ? 0 : 1);
  return results;
}

/**
 * Targets are for idle processors, and other tests run beside this one, so outages may last up to `limitMs`. Where the target is
 * zero, load is no excuse: no write is lost, and no address is held twice.
 */
export function assertOutages(results: readonly MeasureResult[], limitMs: (result: MeasureResult) => number): void {
  const tooLong = results.filter((result) => {
    const { unit, target, max } = result;
    return max > (target === 0 || unit !== "ms" ? (target ?? 0) : limitMs(result));
  });
  assert.deepEqual(
    tooLong.map(({ fault, name, max }) => `${fault} ${name}: ${max}`),
    [],
  );
}
