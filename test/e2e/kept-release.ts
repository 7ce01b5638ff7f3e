import assert from "node:assert/strict";
import { imageFor } from "../../image/recipes/image-names";
import { unrecordedKubernetesVersion } from "../../model/releases";
import { mustSucceed } from "../support/cluster-under-test";
import { kubectl, type StackUnderTest } from "./lab-under-test";
import { machineOf } from "./planned-image";

/** A stack of an earlier version, whose file names no release, runs the default of that version, and a preview says so. */
export async function keepsRelease({ cluster, driver }: Pick<StackUnderTest, "cluster" | "driver">): Promise<void> {
  const { spec } = await machineOf({ cluster, driver }, "master-1");
  assert.equal(spec.image, imageFor("kubernetes", unrecordedKubernetesVersion, "tree"));
  const ask = `${kubectl} get nodes -o 'jsonpath={.items[*].status.nodeInfo.kubeletVersion}'`;
  const { stdout } = mustSucceed("kubelets", await cluster.onNode("master-1", ask));
  assert.deepEqual([...new Set(stdout.trim().split(" "))], [`v${unrecordedKubernetesVersion}`]);
  const review = mustSucceed("preview", await cluster.groundplane("preview")).stdout;
  assert.ok(review.includes(`the stack keeps Kubernetes ${unrecordedKubernetesVersion}. `), review);
}
