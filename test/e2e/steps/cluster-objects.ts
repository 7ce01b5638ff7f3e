import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { mustSucceed } from "../../support/cluster-under-test";
import { countsOf, type LabUnderTest, previewsNoChange, type Step, secondsSince, up } from "../lab-under-test";

const podsOf = async ({ cluster }: LabUnderTest, ...query: string[]): Promise<string> =>
  mustSucceed("get pods", await cluster.kubectl("master-1", "get", "pods", ...query, "-o", "name")).stdout;

export const objectsComeBack: Step = async (lab, t) => {
  const { cluster } = lab;
  const kubectl = async (...words: string[]) =>
    mustSucceed(words[0] ?? "", await cluster.kubectl("master-1", ...words));
  const network = await podsOf(lab, "--namespace", "kube-flannel");
  await kubectl("delete", "namespace", "volumes");
  await kubectl("--namespace", "kube-system", "scale", "deployment", "coredns", "--replicas=1");
  await kubectl("delete", "clusterrolebinding", "flannel");

  const preview = mustSucceed("preview", await cluster.pulumi("preview", "--non-interactive")).stdout;
  assert.match(preview, /Namespace volumes is missing/);
  assert.match(preview, /Deployment volumes\/volume-provisioner is missing/);
  assert.match(preview, /Deployment kube-system\/coredns was changed: spec\.replicas/);
  assert.match(preview, /ClusterRoleBinding flannel is missing/);

  const started = performance.now();
  const counts = countsOf(await up(lab));
  t.diagnostic(`restoring cluster objects took ${secondsSince(started)}`);
  // What is missing is created before nodes get another image, and what differs is changed afterwards.
  assert.match(counts, /2 updated/);
  assert.doesNotMatch(counts, /created|replaced|deleted/);
  await kubectl("--namespace", "volumes", "rollout", "status", "deployment/volume-provisioner", "--timeout=180s");
  await kubectl("--namespace", "kube-system", "rollout", "status", "deployment/coredns", "--timeout=180s");
  assert.equal(await podsOf(lab, "--namespace", "kube-flannel"), network, "the network's pods keep running");
  await previewsNoChange(lab);
};

/** As between two releases: one has an object that the next one no longer has. */
export const droppedObjectIsDeleted: Step = async (lab) => {
  const source = path.join(lab.cluster.project.folder, "cloud-init", "files", "kubernetes", "cluster-objects.ts");
  const text = fs.readFileSync(source, "utf8");
  const place = "...kubeadmObjects(plan),";
  assert.ok(text.includes(place));
  const metadata = '{ name: "of-a-former-release", namespace: "kube-system" }';
  fs.writeFileSync(
    source,
    text.replace(place, `${place} { apiVersion: "v1", kind: "ConfigMap", metadata: ${metadata}, data: { a: "1" } },`),
  );
  const get = [
    "--namespace",
    "kube-system",
    "get",
    "configmap",
    "of-a-former-release",
    "--ignore-not-found",
    "-o",
    "name",
  ];
  const present = async () => mustSucceed("get", await lab.cluster.kubectl("master-1", ...get)).stdout.trim();
  await up(lab).finally(() => fs.writeFileSync(source, text));
  assert.equal(await present(), "configmap/of-a-former-release");
  await up(lab);
  assert.equal(await present(), "");
};
