import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultKubernetesVersion, kubernetesVersions } from "../../../../model/releases";
import { effectiveRelease } from "../../../../stacks/config/effective-release";
import { parseConfiguration } from "../../../../stacks/config/parse-configuration";
import { readConfigurationFile } from "../../../../stacks/config/read-configuration-file";

test("a file names the release of its stack; otherwise a stack that exists keeps its own, and a new one gets the newest", () => {
  const [newest] = kubernetesVersions;
  assert.equal(defaultKubernetesVersion, newest);
  for (const kept of [undefined, ...kubernetesVersions, "1.2.3"])
    for (const named of kubernetesVersions)
      assert.deepEqual(effectiveRelease(named, kept), { version: named, from: "file" });
  for (const kept of kubernetesVersions)
    assert.deepEqual(effectiveRelease(undefined, kept), { version: kept, from: "stack" });
  assert.deepEqual(effectiveRelease(undefined, undefined), { version: newest, from: "newest" });
});

test("a configuration has the effective release, whatever else it says", () => {
  for (const keptRelease of [undefined, ...kubernetesVersions])
    for (const kubernetesVersion of [undefined, ...kubernetesVersions]) {
      const written = { options: { failover: "calm" }, ...(kubernetesVersion && { kubernetesVersion }) };
      const { configuration, release } = parseConfiguration(written, { stack: "lab", keptRelease });
      assert.deepEqual(release, effectiveRelease(kubernetesVersion, keptRelease));
      assert.equal(configuration?.kubernetesVersion, release?.version);
    }
});

test("a release that this version of groundplane does not have is a problem where the file names none", () => {
  const text = "config:\n  groundplane:dataCenter:\n    options: {failover: calm}\n";
  const { configuration, problems = [] } = readConfigurationFile(text, { stack: "lab", keptRelease: "1.99.0" });
  assert.equal(configuration, undefined);
  assert.deepEqual(
    problems.map(({ path, line, rule }) => [path, line, rule]),
    [["kubernetesVersion", 2, "the stack runs Kubernetes 1.99.0, which this version of groundplane does not have"]],
  );
  const named = { kubernetesVersion: defaultKubernetesVersion };
  assert.ok(parseConfiguration(named, { stack: "lab", keptRelease: "1.99.0" }).configuration, "the guard decides");
});
