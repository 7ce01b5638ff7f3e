// The docs agree with the tables of model/.
import assert from "node:assert/strict";
import { test } from "node:test";
import { driverRequirements } from "../../model/driver-requirements";
import { failoverProfiles, podsElsewhereSeconds } from "../../model/failover-profiles";
import { formatVersion } from "../../model/versions";
import { documents, guide, readDocument } from "../support/documents";

/** Joined to one line, so that wrapped sentences are found. */
const guideText = (): string => guide.map(readDocument).join("\n").replaceAll(/\s+/g, " ");

test("the docs name the versions of hypervisors that the table requires", () => {
  const written = documents
    .filter((document) => !["CHANGELOG.md", "DECISIONS.md"].includes(document))
    .map(readDocument);
  const { virtualbox, qemu } = driverRequirements;
  for (const { product, oldest } of [virtualbox.hypervisor, qemu.hypervisor]) {
    const named = written.flatMap((text) =>
      [...text.matchAll(new RegExp(`${product} (\\d[\\d.]*) or (?:newer|later)`, "g"))].map(([, version]) => version),
    );
    assert.deepEqual(new Set(named), new Set([formatVersion(oldest)]), product);
  }
  const recommended = formatVersion(virtualbox.hypervisor.recommended);
  assert.ok(guideText().includes(`(${recommended} or newer recommended)`));
});

test("the documents give the times that follow from the failover profiles", () => {
  const { fast, calm } = failoverProfiles;
  const stall = ({ volume }: { volume: { deadAfterSeconds: number } }): string => `${volume.deadAfterSeconds + 0.5} s`;
  const { tokenMs, consensusMs, advertisementMs } = fast.balancing;
  for (const sentence of [
    `by ${stall(fast)} (\`failover: fast\`) or ${stall(calm)} (\`calm\`)`,
    `failover may take ${calm.balancing.takeoverMs / 1000} s, and moving pods ${podsElsewhereSeconds(calm.kubernetes)} s`,
    `within ${podsElsewhereSeconds(fast.kubernetes)} s of the loss (\`failover: calm\`: ${podsElsewhereSeconds(calm.kubernetes)} s)`,
    `token and consensus, ${(tokenMs + consensusMs) / 1000} s`,
    `three missing advertisements, ${(3 * advertisementMs) / 1000} to ${(4 * advertisementMs) / 1000} s`,
  ]) {
    assert.ok(guideText().includes(sentence), sentence);
  }
});
