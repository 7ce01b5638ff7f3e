import assert from "node:assert/strict";
import { test } from "node:test";
import type { DriverName } from "../../../model/drivers";
import { followsRelease, newestAfter } from "../../../model/release-changes";
import { kubernetesVersions } from "../../../model/releases";
import { newerRelease, refusedUpgrade } from "../../../model/upgrades";
import { parseConfiguration } from "../../../stacks/config/parse-configuration";
import { keptReleasesOf } from "../../../stacks/plan/kept-releases";
import { planDataCenter } from "../../../stacks/plan/plan-data-center";
import { merged } from "../../support/changed-keys";
import { exampleSettings } from "../../support/example-stacks";
import { from, to as newest } from "../../support/upgrade-step";

function planOf(example: string, change: object = {}) {
  const settings = merged(exampleSettings(example), { kubernetesVersion: from }, change);
  const { configuration, problems } = parseConfiguration(settings, { stack: "lab" });
  assert.ok(configuration, JSON.stringify(problems));
  return planDataCenter(configuration);
}

/** Why the stack cannot get the newest release. */
function refusalOf(example: string, change: object = {}, driver: DriverName = "nspawn", other: object = {}) {
  const [before, after] = [
    planOf(example, change),
    planOf(example, merged(change, other, { kubernetesVersion: newest })),
  ];
  const refused = refusedUpgrade(before.settings, after.settings, keptReleasesOf(after, driver));
  assert.ok(refused.every((one) => one.startsWith(`kubernetesVersion: ${from} cannot become ${newest}: `)));
  return refused.map((one) => one.slice(one.indexOf(": ", one.indexOf("become")) + 2)).join();
}

test("a stack whose nodes can all get another image is upgraded", () => {
  assert.equal(refusalOf("lab"), "");
  assert.equal(refusalOf("production"), "");
  assert.equal(refusalOf("production", { pools: { masters: { count: 2 } } }), "");
  assert.equal(refusalOf("services", { pools: { masters: { count: 3 } } }), "");
  // The only master takes the data of etcd along.
  assert.equal(refusalOf("small"), "");
  assert.equal(refusalOf("services"), "");
});

test("a stack with a node that keeps its image is refused, with the nodes and their reasons", () => {
  const again =
    `. Set kubernetesVersion to ${from} again, or move the cluster with an outage: \`npx groundplane backup FILE\`, ` +
    `\`npx groundplane destroy\`, and with kubernetesVersion: ${newest} \`npx groundplane restore FILE\``;
  const cases = [
    [
      "small",
      {},
      "qemu",
      /^master-1 would keep .*, because etcd would have no majority without it; .*driver qemu yet\. /,
    ],
    ["single", {}, "nspawn", /^gateway would keep .*, because etcd would have no majority without it\. /],
    ["pair", {}, "nspawn", /^gateway would keep the former release, because no test has upgraded a gateway/],
    ["production", { pools: { masters: { count: 1 } } }, "nspawn", /^master-1 would keep .*no other master has an API/],
    ["lab", { options: { runtime: "docker" } }, "nspawn", /copied between Docker Engines yet\. /],
    ["lab", {}, "qemu", /no test has upgraded a cluster of machines of the driver qemu yet/],
    ["lab", {}, "virtualbox", /^master-1, .*worker-2 would keep .*machines of the driver virtualbox/],
  ] as const;
  for (const [example, change, driver, reason] of cases) {
    const refused = refusalOf(example, change, driver);
    assert.match(refused, reason, example);
    assert.ok(refused.endsWith(again), refused);
  }
});

test("a release is changed alone: new machines would have it before the control plane", () => {
  const more = { pools: { workers: { count: 3 } }, options: { podGraceSeconds: 7 } };
  assert.equal(
    refusalOf("lab", {}, "nspawn", more),
    "a release is changed alone, and pools.workers.count, options.podGraceSeconds would change with it. " +
      `First run \`up\` with kubernetesVersion: ${from}, then with ${newest}`,
  );
});

test("without another release nothing is refused, whatever the nodes can do", () => {
  const [before, after] = [planOf("small"), planOf("small", { options: { podGraceSeconds: 7 } })];
  assert.deepEqual(refusedUpgrade(before.settings, after.settings, keptReleasesOf(after, "nspawn")), []);
  assert.deepEqual(refusedUpgrade({}, after.settings, keptReleasesOf(after, "nspawn")), [], "no record");
});

test("a stack that keeps its release is told the newest that it can move to, and the way that its nodes allow", () => {
  for (const [position, version] of kubernetesVersions.entries()) {
    const next = newestAfter(version);
    const newer = kubernetesVersions.slice(0, position).filter((one) => followsRelease(version, one));
    assert.equal(next, newer[0], version);
    assert.equal(newerRelease(version, {}) === undefined, next === undefined);
  }
  assert.equal(
    newerRelease(from, {}),
    `The stack's file names no kubernetesVersion, so the stack keeps Kubernetes ${from}. ${newest} is available: set kubernetesVersion: ` +
      `${newest}, build its images (\`npx groundplane image build\`) and run \`up\`.`,
  );
  assert.match(
    newerRelease(from, keptReleasesOf(planOf("single"), "nspawn")) ?? "",
    /not all of its nodes can get it while the stack runs; move the cluster with an outage: `npx groundplane backup FILE`, /,
  );
});
