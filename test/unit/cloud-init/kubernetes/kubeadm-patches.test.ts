import assert from "node:assert/strict";
import { test } from "node:test";
import { kubeadmPatches } from "../../../../cloud-init/files/kubernetes/kubeadm-patches";
import type { DataCenterPlan } from "../../../../stacks/plan/data-center-plan";
import { examplePlan } from "../../../support/example-plans";

const lab = examplePlan("lab");
const withProbes = (fastProbes: boolean): DataCenterPlan => ({
  ...lab,
  kubernetes: { ...lab.kubernetes, fastProbes },
});
const names = (plan: DataCenterPlan): string[] => kubeadmPatches(plan).map(({ path }) => path.replace(/.*\//, ""));

test("with stock probes, the only patch of static pods names the files that the API server reads at its start", () => {
  assert.deepEqual(names(withProbes(false)), ["kube-apiserver2+json.json"]);
});

test("a changed file of the API server changes its pod", () => {
  const values = (plan: DataCenterPlan): Record<string, string> => {
    const patch = kubeadmPatches(plan).find(({ path }) => path.endsWith("kube-apiserver2+json.json"));
    const steps: { path: string; value: string }[] = JSON.parse(patch?.content ?? "");
    return Object.fromEntries(steps.map(({ path, value }) => [path.replace(/.*~1/, ""), value]));
  };
  const restricted = values({ ...lab, kubernetes: { ...lab.kubernetes, podSecurity: "restricted" } });
  assert.deepEqual(Object.keys(restricted), ["audit-policy", "admission-configuration"]);
  assert.equal(restricted["audit-policy"], values(lab)["audit-policy"]);
  assert.notEqual(restricted["admission-configuration"], values(lab)["admission-configuration"]);
});

test("fast probes run every second and give start-up at least as much time as stock probes", () => {
  assert.deepEqual(names(withProbes(true)), [
    "etcd1+json.json",
    "kube-apiserver1+json.json",
    "kube-controller-manager1+json.json",
    "kube-scheduler1+json.json",
    "kube-apiserver2+json.json",
  ]);
  const patch: { path: string; value: number }[] = JSON.parse(kubeadmPatches(withProbes(true))[0]?.content ?? "");
  const values = Object.fromEntries(patch.map(({ path, value }) => [path.replace(/.*\//, ""), value]));
  assert.deepEqual(values, { initialDelaySeconds: 1, periodSeconds: 1, failureThreshold: 240 });
});

test("no patch of the seed names etcd members, because only the bootstrap adds them", () => {
  for (const plan of [withProbes(true), withProbes(false)]) {
    for (const { path, content } of kubeadmPatches(plan)) {
      assert.ok(!path.includes("etcd0"), path);
      assert.ok(!content.includes("initial-cluster"), path);
    }
  }
});
