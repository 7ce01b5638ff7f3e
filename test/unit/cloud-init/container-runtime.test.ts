import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { networkPolicyObjects } from "../../../cloud-init/files/kubernetes/network-policy-objects";
import { commandWith } from "../../../cloud-init/guest-command";
import { containerRuntime } from "../../../cloud-init/planned-runtime";
import { renderNodeSeed } from "../../../cloud-init/render-node-seed";
import { layerFilesFolder } from "../../../image/image-files";
import { imageNames, imageRecipes } from "../../../image/recipes/image-names";
import { rootTreeWith } from "../../../image/recipes/root-tree";
import { type ContainerRuntimeName, containerRuntimeNames, containerRuntimes } from "../../../model/container-runtimes";
import { distributions } from "../../../model/distributions";
import { guestCommand, guestPaths } from "../../../model/guest-paths";
import { containerImageNames, defaultKubernetesVersion, releases } from "../../../model/releases";
import type { DataCenterPlan } from "../../../stacks/plan/data-center-plan";
import { planDataCenter } from "../../../stacks/plan/plan-data-center";
import { exampleConfiguration } from "../../support/example-stacks";

const planOf = (runtime: ContainerRuntimeName, stack = "production"): DataCenterPlan => {
  const example = exampleConfiguration(stack);
  return planDataCenter({ ...example, options: { ...example.options, runtime } });
};
const seedOf = (plan: DataCenterPlan, name: string) => {
  const node = plan.nodes.find((each) => each.name === name);
  assert.ok(node, name);
  return renderNodeSeed(plan, node);
};
const runsPods = ["master-1", "worker-1", "etcd-1"];
const fileIn = (layer: string, file: string): string =>
  fs.readFileSync(path.join(layerFilesFolder(layer), file), "utf8");

test("every program of a node asks the runtime that the configuration names, and no other", () => {
  for (const runtime of containerRuntimeNames) {
    const plan = planOf(runtime);
    const { socket, title, unit } = containerRuntimes[runtime];
    for (const name of runsPods) {
      const { userData, files } = seedOf(plan, name);
      assert.ok(userData.includes(`unix://${socket}`), `${name} with ${runtime}`);
      const fileAt = (at: string): string => files.find((file) => file.path === at)?.content ?? "";
      assert.ok(fileAt(guestCommand("cluster-work")).includes(`waiting for ${title}`));
      assert.ok(fileAt(guestCommand("role-ready")).includes(containerRuntimes[runtime].answers));
      assert.match(fileAt("/etc/systemd/system/groundplane-cluster.service"), new RegExp(`^After=.*\\b${unit}`, "m"));
      for (const other of containerRuntimeNames.filter((each) => each !== runtime))
        assert.ok(!userData.includes(containerRuntimes[other].socket), `${name}: ${runtime} and ${other}`);
      for (const { path: at, content } of files) assert.doesNotMatch(content, /@[a-z]+@/, at);
    }
  }
});

test("a node that shuts down ends the containers of its runtime", () => {
  const ending = (runtime: ContainerRuntimeName): string => containerRuntime(planOf(runtime)).endPods.content;
  assert.match(ending("containerd"), /^in_containerd\(\) \{ ctr --namespace k8s\.io "\$@"; \}$/m);
  assert.match(ending("docker"), /^in_containerd\(\) \{ ctr --namespace moby "\$@"; \}$/m);
  assert.match(ending("docker"), /^ {2}docker inspect /m);
  assert.doesNotMatch(ending("docker"), /k8s\.io|io\.cri-containerd/);
  const rest = (text: string): string =>
    text.replace(/^describe\(\) \{\n[\s\S]*?^\}\n/m, "").replace(/k8s\.io|moby/, "");
  assert.equal(rest(ending("docker")), rest(ending("containerd")));
  assert.throws(
    () => commandWith("kubernetes/role-ready", "docker/end-pods"),
    /role-ready has no function in_containerd/,
  );
});

test("the kubelet does not speak WebSockets with cri-dockerd, whose addresses have no scheme", () => {
  const gates = (runtime: ContainerRuntimeName): boolean =>
    seedOf(planOf(runtime), "worker-1").files.some(({ content }) =>
      content.includes("ExtendWebSocketsToKubelet: false"),
    );
  assert.deepEqual(
    containerRuntimeNames.map(gates),
    containerRuntimeNames.map((name) => name === "docker"),
  );
});

test("a kubelet that does not know the setting does not get it", () => {
  const plan = planOf("docker");
  const withRelease = (version: string): string =>
    JSON.stringify(seedOf({ ...plan, kubernetes: { ...plan.kubernetes, version } }, "worker-1").files);
  for (const [version, { kubeletWebSockets }] of Object.entries(releases))
    assert.equal(withRelease(version).includes("ExtendWebSocketsToKubelet"), kubeletWebSockets, version);
});

test("only containerd announces pods, so only there the policies' program looks for announcements", () => {
  const text = (runtime: ContainerRuntimeName): string => JSON.stringify(networkPolicyObjects(planOf(runtime)));
  assert.match(text("containerd"), /"hostPath":\{"path":"\/var\/run\/nri"/);
  assert.doesNotMatch(text("docker"), /nri/);
});

test("another runtime gives nodes that run pods another image, and leaves all others alone", () => {
  for (const distribution of distributions)
    for (const form of ["tree", "disk"] as const) {
      const of = (runtime?: ContainerRuntimeName) => imageNames(defaultKubernetesVersion, form, distribution, runtime);
      assert.deepEqual(of("containerd"), of());
      assert.equal(of("docker")[0], of()[0]);
      assert.notEqual(of("docker")[1], of()[1]);
    }
});

test("Docker is a package, and containerd, runc and cri-dockerd are programs of the release", () => {
  const [, recipe] = imageRecipes(defaultKubernetesVersion, "tree", "debian", "docker");
  const programs = recipe?.kubernetes?.nodePrograms.map(({ program }) => program) ?? [];
  for (const program of ["containerd", "runc", "cri-dockerd"]) assert.ok(programs.includes(program), program);
  assert.equal(recipe?.kubernetes?.imageNamespace, "moby");
  for (const distribution of distributions) {
    const { packages, forgotten } = rootTreeWith(distribution, "docker");
    assert.ok(packages.includes("docker.io"));
    for (const program of ["containerd", "ctr"]) assert.ok(forgotten.includes(`usr/bin/${program}`));
    assert.equal(rootTreeWith(distribution, "containerd").packages.includes("docker.io"), false);
  }
});

test("the settings of Docker's image agree with the tables", () => {
  const { socket, namespace } = containerRuntimes.docker;
  assert.match(fileIn("docker", "etc/crictl.yaml"), new RegExp(`^runtime-endpoint: unix://${socket}$`, "m"));
  const unit = fileIn("docker", "etc/systemd/system/cri-dockerd.service");
  assert.ok(unit.includes(`--container-runtime-endpoint unix://${socket} `));
  assert.ok(unit.includes(`--pod-infra-container-image ${containerImageNames(defaultKubernetesVersion).pause} `));
  const daemon = JSON.parse(fileIn("docker", "etc/docker/daemon.json"));
  assert.equal(daemon["containerd-namespace"], namespace);
  assert.deepEqual(daemon["exec-opts"], ["native.cgroupdriver=cgroupfs"]);
  // The kubelet rotates logs of 10 MiB, which cri-dockerd does not support: Docker must do so before.
  assert.equal(daemon["log-opts"]["max-size"], "10m");
  const stop = (layer: string): string => fileIn(layer, "usr/local/lib/groundplane-kubernetes/stop-pods");
  assert.equal(stop("docker"), stop("kubernetes").replaceAll("k8s.io", namespace));
});

test("pods of both runtimes have the same network", () => {
  const pods = (text: string) => JSON.parse(text);
  const given = pods(fileIn("docker", "etc/cni/net.d/10-groundplane.conflist"));
  const rendered = pods(fileIn("kubernetes", "etc/containerd/cni-template.json"));
  // cri-dockerd passes the node's range at each call; containerd writes it to the file.
  delete given.plugins[0].capabilities;
  delete rendered.plugins[0].ipam.ranges;
  assert.deepEqual(given, rendered);
});

test("no path of a node's configuration names the former socket", () => {
  const plan = planOf("docker");
  const { files } = seedOf(plan, "etcd-1");
  const kubelet = files.find((file) => file.path === guestPaths.kubeletConfiguration)?.content ?? "";
  assert.match(kubelet, /containerRuntimeEndpoint: "?unix:\/\/\/run\/cri-dockerd\.sock/);
});
