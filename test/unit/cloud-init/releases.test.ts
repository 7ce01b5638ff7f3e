import assert from "node:assert/strict";
import { test } from "node:test";
import { allClusterObjects } from "../../../cloud-init/files/kubernetes/cluster-objects";
import { renderSeeds } from "../../../cloud-init/render-node-seed";
import { defaultKubernetesVersion, kubernetesVersions, releaseOf } from "../../../model/releases";
import { parseConfiguration } from "../../../stacks/config/parse-configuration";
import { planDataCenter } from "../../../stacks/plan/plan-data-center";
import { exampleSettings } from "../../support/example-stacks";

/** Everything that nodes and the cluster get, as text. */
function textOf(stack: string, kubernetesVersion: string): string {
  const { configuration, problems } = parseConfiguration({ ...exampleSettings(stack), kubernetesVersion }, { stack });
  assert.ok(configuration, JSON.stringify(problems));
  const plan = planDataCenter(configuration);
  const { settings: _settings, ...rest } = plan;
  return JSON.stringify(
    { rest, seeds: renderSeeds(plan), objects: allClusterObjects(plan, "(certificate)\n") },
    null,
    1,
  );
}

/** The versions that seeds and objects name. Digests of files do not name any. */
const versionsIn = (version: string): readonly string[] => {
  const { etcdTag, coredns } = releaseOf(version);
  return [`v${version}`, `"${version}`, `=${version}`, `etcd:${etcdTag}`, `coredns:v${coredns}`];
};

test("a release changes the versions in seeds and objects, and nothing else", () => {
  for (const stack of ["lab", "services", "production"]) {
    const expected = textOf(stack, defaultKubernetesVersion);
    for (const version of kubernetesVersions) {
      const [from, to] = [versionsIn(version), versionsIn(defaultKubernetesVersion)];
      const text = from.reduce((all, name, index) => all.replaceAll(name, to[index] ?? ""), textOf(stack, version));
      assert.equal(text, expected, `${stack} with ${version}`);
      if (version !== defaultKubernetesVersion) assert.notEqual(textOf(stack, version), expected);
    }
  }
});
