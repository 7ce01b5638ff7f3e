import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { localHost } from "../../../host/local-host";
import { layerFilesDigest, pauseSettings, withPause } from "../../../image/build/layer";
import { packageSources } from "../../../image/build/package-sources";
import { goModuleFolder, imageFolder, layerFilesFolder } from "../../../image/image-files";
import { goBuild } from "../../../image/parts/go-builds";
import { changesDigest } from "../../../image/parts/program-source";
import { archives } from "../../../image/recipes/archives";
import { containerLayer } from "../../../image/recipes/container-layer";
import { disk, diskOf } from "../../../image/recipes/disk";
import { imageFor, imageName, imageNames, imageRecipes, recipeHash } from "../../../image/recipes/image-names";
import { kubernetesRecipe, programsOf } from "../../../image/recipes/kubernetes";
import digests from "../../../image/recipes/layer-digests.json";
import { rootTree, rootTrees } from "../../../image/recipes/root-tree";
import { type DistributionName, distributions } from "../../../model/distributions";
import { drivers } from "../../../model/drivers";
import {
  containerImageNames,
  defaultKubernetesVersion,
  kubernetesVersions,
  networkPolicyLabel,
  releaseOf,
} from "../../../model/releases";
import { imageKindOf, type Role } from "../../../model/roles";
import { UserError } from "../../../model/user-error";

const VERSION = defaultKubernetesVersion;

test("a recipe's hash depends on its data and not on the order of its keys", () => {
  assert.equal(recipeHash({ a: 1, b: { c: [1, 2], d: 3 } }), recipeHash({ b: { d: 3, c: [1, 2] }, a: 1 }));
  assert.notEqual(recipeHash({ a: [1, 2] }), recipeHash({ a: [2, 1] }));
  assert.match(recipeHash({}), /^[0-9a-f]{12}$/);
});

test("any change of a recipe gives the image another name", () => {
  const [infrastructure] = imageRecipes(VERSION, "tree");
  assert.ok(infrastructure);
  const names = [
    infrastructure,
    { ...infrastructure, recipeVersion: infrastructure.recipeVersion + 1 },
    { ...infrastructure, rootTree: { ...rootTree, packages: [...rootTree.packages, "tcpdump"] } },
    { ...infrastructure, container: { ...containerLayer, files: "another digest" } },
  ].map(imageName);
  assert.equal(new Set(names).size, names.length);
  for (const name of names) assert.match(name, /^infrastructure-[0-9a-f]{12}$/);
});

test("masters and workers share one image, and all other roles share another", () => {
  const of = (...roles: Role[]) => imageFor(imageKindOf(roles), VERSION, "tree");
  assert.equal(of("master"), of("worker"));
  assert.equal(of("gateway", "master", "etcd"), of("master"));
  assert.match(of("master"), /^kubernetes-/);
  assert.deepEqual(new Set([of("gateway"), of("balancer"), of("storage")]), new Set([of("gateway")]));
  assert.match(of("gateway"), /^infrastructure-/);
});

test("every unit of a layer is enabled for the target that it names", () => {
  const kubernetes = kubernetesRecipe(VERSION).layer;
  for (const { folder, enabledUnits } of [rootTree.layer, containerLayer, kubernetes, disk.layer]) {
    const units = path.join(layerFilesFolder(folder), "etc", "systemd", "system");
    const names = fs.existsSync(units) ? fs.readdirSync(units).filter((name) => name.endsWith(".service")) : [];
    for (const name of names) {
      const wantedBy = /^WantedBy=(.*)$/m.exec(fs.readFileSync(path.join(units, name), "utf8"))?.[1];
      assert.equal(enabledUnits[name], wantedBy, `${folder}: ${name}`);
    }
  }
});

test("virtual machines and system containers have different images", () => {
  const [forms, kinds] = [["tree", "disk"] as const, ["infrastructure", "kubernetes"] as const];
  const names = forms.flatMap((form) => kinds.map((kind) => imageFor(kind, VERSION, form)));
  assert.equal(new Set(names).size, 4);
  assert.deepEqual(imageNames(VERSION, "disk"), names.slice(2));
  assert.match(imageFor("infrastructure", VERSION, drivers.qemu.imageForm), /^infrastructure-disk-[0-9a-f]{12}$/);
  assert.equal(imageFor("infrastructure", VERSION, drivers.nspawn.imageForm), names[0]);
});

test("Debian's images keep their names, Ubuntu's have other names", () => {
  for (const form of ["tree", "disk"] as const) {
    const [debian, ubuntu] = [imageNames(VERSION, form), imageNames(VERSION, form, "ubuntu")];
    assert.deepEqual(imageNames(VERSION, form, "debian"), debian);
    assert.equal(new Set([...debian, ...ubuntu]).size, 4);
  }
  assert.ok(!("distribution" in rootTree), "it would be a part of the name");
});

test("an unknown version of Kubernetes is refused with the list of known versions", () => {
  assert.throws(
    () => imageFor("kubernetes", "1.2.3", "tree"),
    (error) => error instanceof UserError && error.id === "kubernetes-version" && error.hint.includes(VERSION),
  );
});

test("the recipes have the digests of the layers' files (npx tsx image/entry/record-layers.ts records them)", async () => {
  for (const [layer, digest] of Object.entries(digests))
    assert.equal(await layerFilesDigest(localHost, layer), digest, layer);
});

test("the recipes have the digests of what is changed in Go modules", async () => {
  for (const version of kubernetesVersions) {
    const changed = [];
    for (const part of kubernetesRecipe(version).parts) {
      assert.equal(await changesDigest(localHost, part), part.changes, part.name);
      if (part.changes !== undefined) changed.push(part.name);
    }
    assert.deepEqual(changed, ["kube-network-policies", "local-path-provisioner"]);
  }
});

test("container images have the names that kubeadm asks for", () => {
  for (const version of kubernetesVersions) {
    const names = kubernetesRecipe(version).containerImages.map((image) => image.name);
    // The output of `kubeadm config images list` of this version. A contract test runs it for the default release.
    const asked = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy"].map(
      (name) => `registry.k8s.io/${name}:v${version}`,
    );
    const { etcdTag, coredns, pause } = releaseOf(version);
    const fixed = [`coredns/coredns:v${coredns}`, `pause:${pause}`, `etcd:${etcdTag}`].map(
      (name) => `registry.k8s.io/${name}`,
    );
    for (const name of [...asked, ...fixed]) assert.ok(names.includes(name), name);
    assert.equal(new Set(names).size, names.length);
  }
});

test("every used program belongs to a part, and every part's programs can be built", () => {
  for (const version of kubernetesVersions) {
    const { parts, nodePrograms, containerImages } = kubernetesRecipe(version, "docker");
    const known = new Set(parts.flatMap(({ name, programs }) => programs.map((program) => `${name}/${program}`)));
    const used = [...nodePrograms, ...containerImages.flatMap((image) => Object.values(image.programs))];
    for (const { part, program } of used) assert.ok(known.has(`${part}/${program}`), `${part}/${program}`);
    for (const { name, version: of, programs } of parts) {
      if (name === "pause") continue;
      assert.deepEqual(Object.keys(goBuild(name, of, programs)?.packages ?? {}).sort(), [...programs].sort());
    }
  }
});

test("the committed Go modules have the recipe's versions", () => {
  const modules = { kubernetes: "k8s.io/kubernetes", etcd: "go.etcd.io/etcd/server/v3" } as const;
  const others = {
    etcdutl: "go.etcd.io/etcd/etcdutl/v3",
    containerd: "github.com/containerd/containerd/v2",
    runc: "github.com/opencontainers/runc",
    crictl: "sigs.k8s.io/cri-tools",
    "cri-dockerd": "github.com/Mirantis/cri-dockerd",
    "kube-network-policies": "sigs.k8s.io/kube-network-policies",
    coredns: "github.com/coredns/coredns",
    flannel: "github.com/flannel-io/flannel",
    "local-path-provisioner": "github.com/rancher/local-path-provisioner",
  } as const;
  const wanted = kubernetesVersions.flatMap((each) =>
    Object.entries({ ...modules, ...others }).map(([part, module]) => ({ each, part, module })),
  );
  for (const { each, part, module } of wanted) {
    const parts = programsOf(kubernetesRecipe(each, "docker"));
    const { version } = parts.find(({ name }) => name === part) ?? assert.fail(part);
    const goMod = fs.readFileSync(path.join(goModuleFolder(part, version), "go.mod"), "utf8");
    assert.ok(goMod.includes(`${module} v${version}\n`) || goMod.includes(`${module} v${version} //`), part);
  }
});

test("the settings of the runtimes name the pause image of each release", () => {
  const settingsOf = (layer: string, file: string): string =>
    fs.readFileSync(path.join(layerFilesFolder(layer), file), "utf8");
  const [containerd, dockerd] = pauseSettings;
  for (const version of kubernetesVersions) {
    const { pause } = containerImageNames(version);
    const forContainerd = withPause(settingsOf("kubernetes", containerd), pause);
    assert.equal(/^ *sandbox = "([^"]+)"/m.exec(forContainerd)?.[1], pause);
    assert.ok(withPause(settingsOf("docker", dockerd), pause).includes(`--pod-infra-container-image ${pause} `));
  }
  // Files of the default release are copied as they are.
  const { pause } = containerImageNames(VERSION);
  for (const [layer, file] of [["kubernetes", containerd] as const, ["docker", dockerd] as const])
    assert.equal(withPause(settingsOf(layer, file), pause), settingsOf(layer, file));
});

test("the kubelet sets the label by which the policies' DaemonSet finds nodes that have its program", () => {
  const unit = fs.readFileSync(path.join(layerFilesFolder("kubernetes"), "etc/systemd/system/kubelet.service"), "utf8");
  const labels = Object.entries(networkPolicyLabel).map(([name, value]) => `--node-labels=${name}=${value} `);
  for (const label of labels) assert.ok(unit.includes(label), label);
});

test("private files of a layer exist", () => {
  const { folder, privateFiles = [] } = kubernetesRecipe(VERSION).layer;
  assert.ok(privateFiles.length > 0);
  for (const file of privateFiles) assert.ok(fs.existsSync(path.join(layerFilesFolder(folder), file)), file);
});

test("packages are sorted and without duplicates", () => {
  for (const distribution of distributions) {
    for (const { packages } of [rootTrees[distribution], diskOf(distribution)])
      assert.deepEqual(packages, [...new Set(packages)].sort());
  }
});

test("Ubuntu has the packages of Debian under its own names, and one service for SSH", () => {
  const differences = (of: (distribution: DistributionName) => readonly string[]) =>
    of("ubuntu").filter((name) => !of("debian").includes(name));
  assert.deepEqual(
    differences((each) => rootTrees[each].packages),
    ["apt", "resource-agents-base"],
  );
  assert.deepEqual(
    differences((each) => diskOf(each).packages),
    ["linux-image-virtual"],
  );
  assert.ok(rootTrees.ubuntu.layer.maskedUnits.includes("ssh.socket"));
  assert.deepEqual(rootTrees.ubuntu.layer.enabledUnits, rootTree.layer.enabledUnits);
});

test("packages come from the distribution's own archive, verified by its own keys", async () => {
  const lines = await packageSources(localHost, archives.ubuntu, rootTrees.ubuntu.suite);
  assert.deepEqual(
    lines.map((line) => line.split(" ").slice(2).join(" ")),
    ["noble", "noble-updates", "noble-security"].map((pocket) => `${pocket} main universe`),
  );
  for (const line of lines) assert.match(line, /^deb https?:\/\/\S+\/ubuntu noble/);
  assert.match(
    fs.readFileSync(path.join(imageFolder, archives.ubuntu.keyring), "utf8"),
    /^-----BEGIN PGP PUBLIC KEY BLOCK-----/,
  );
});
