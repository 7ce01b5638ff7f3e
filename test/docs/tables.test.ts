// What the docs say and a table of model/ holds is the same.
import assert from "node:assert/strict";
import { test } from "node:test";
import { driverRequirements } from "../../model/driver-requirements";
import { failoverProfiles, podsElsewhereSeconds } from "../../model/failover-profiles";
import { formatVersion } from "../../model/versions";
import { papers, readPaper } from "../support/papers";

test("the docs name the versions of hypervisors that the table requires", () => {
  const written = papers.filter((paper) => !["CHANGELOG.md", "DECISIONS.md"].includes(paper)).map(readPaper);
  const { virtualbox, qemu } = driverRequirements;
  for (const { product, oldest } of [virtualbox.hypervisor, qemu.hypervisor]) {
    const named = written.flatMap((text) =>
      [...text.matchAll(new RegExp(`${product} (\\d[\\d.]*) or (?:newer|later)`, "g"))].map(([, version]) => version),
    );
    assert.deepEqual(new Set(named), new Set([formatVersion(oldest)]), product);
  }
  const recommended = formatVersion(virtualbox.hypervisor.recommended);
  assert.ok(readPaper("README.md").includes(`(${recommended} or newer recommended)`));
});

test("the README gives the times that follow from the failover profiles", () => {
  const readme = readPaper("README.md").replaceAll(/\s+/g, " ");
  const { fast, calm } = failoverProfiles;
  const stall = ({ volume }: { volume: { deadAfterSeconds: number } }): string => `${volume.deadAfterSeconds + 0.5} s`;
  const { tokenMs, consensusMs, advertisementMs } = fast.balancing;
  for (const sentence of [
    `for ${stall(fast)} (\`failover: fast\`) or ${stall(calm)} (\`calm\`)`,
    `a balancer may take ${calm.balancing.takeoverMs / 1000} s and pods ${podsElsewhereSeconds(calm.kubernetes)} s`,
    `token and consensus, ${(tokenMs + consensusMs) / 1000} s`,
    `three missing advertisements, ${(3 * advertisementMs) / 1000} to ${(4 * advertisementMs) / 1000} s`,
  ]) {
    assert.ok(readme.includes(sentence), sentence);
  }
});
