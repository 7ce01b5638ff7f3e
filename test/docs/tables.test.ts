// What the docs say and a table of model/ holds is the same.
import assert from "node:assert/strict";
import { test } from "node:test";
import { driverRequirements } from "../../model/driver-requirements";
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
