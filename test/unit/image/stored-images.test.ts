import assert from "node:assert/strict";
import { test } from "node:test";
import { createQemuDriver } from "../../../hypervisors/qemu/driver";
import { recordedImages } from "../../../hypervisors/recorded-images";
import { createVirtualBoxDriver } from "../../../hypervisors/virtualbox/driver";
import { partName } from "../../../image/parts/part";
import { allImageRecipes, imageName, imageNames, imageNamesIn } from "../../../image/recipes/image-names";
import { storedImages } from "../../../image/stored-images";
import { kubernetesVersions } from "../../../model/releases";
import { RecordingHost } from "../../support/recording-host";

const OLD = "kubernetes-0123456789ab";
const usersOf = async (host: RecordingHost, users: ReadonlyMap<string, readonly string[]> = new Map()) =>
  Object.fromEntries((await storedImages(host, users)).map((item) => [item.path, item.users]));

test("every image that a configuration can select has a recipe", () => {
  const names = allImageRecipes().map(imageName);
  for (const version of kubernetesVersions)
    for (const name of [...imageNames(version, "tree"), ...imageNames(version, "disk", "ubuntu", "docker")])
      assert.ok(names.includes(name), name);
});

test("names of images are found in any text", () => {
  const disk = "infrastructure-disk-0123456789ab";
  assert.deepEqual(imageNamesIn(`{"image":"${OLD}"} nspawn/${disk} ${OLD} kubernetes-1.2.3`), [OLD, disk]);
});

test("the records of all drivers count, also incomplete ones", async () => {
  const record = (number: number) =>
    JSON.stringify({ complete: false, spec: { image: `kubernetes-${number}23456789abc` } });
  const host = new RecordingHost({
    files: {
      "/data/stacks/lab/machines/gateway/machine.json": record(1),
      "/data/stacks/lab/qemu/machines/gateway/machine.json": record(2),
      "/data/fake/small/machines/gateway/machine.json": record(3),
      "/data/fake/lab/machines/master-1/machine.json": record(1),
      "/data/stacks/lab/machines/master-1/seed/user-data": record(4),
    },
  });
  assert.deepEqual(Object.fromEntries(await recordedImages(host)), {
    "kubernetes-123456789abc": ["lab"],
    "kubernetes-223456789abc": ["lab"],
    "kubernetes-323456789abc": ["small"],
  });
});

test("an image is in use by a recipe, a state, a machine or a mount, and its parts are as well", async () => {
  const [recipe] = allImageRecipes();
  if (!recipe) throw new Error("there is no recipe");
  const base = partName({ kind: "root-tree", recipe: recipe.rootTree });
  const host = new RecordingHost({
    files: {
      [`/data/images/${imageName(recipe)}/image.json`]: "{}",
      [`/data/images/${OLD}/image.json`]: "{}",
      "/data/images/kubernetes-ffffffffffff/image.json": "{}",
      [`/data/parts/${base}/seal.json`]: "{}",
      "/data/parts/base-0123456789ab/seal.json": "{}",
      "/data/parts/etcd-3.0.0-0123456789ab/seal.json": "{}",
      "/data/parts/go-v0.0.1.zip": "",
      "/proc/1/mountinfo":
        "36 35 98:0 / / rw - overlay overlay rw,lowerdir=/other/data/images/kubernetes-ffffffffffff/layers/base",
    },
  });
  await host.trees.createFolder(`/data/images/${OLD}/layers`);
  await host.trees.link("../../../parts/base-0123456789ab/content", `/data/images/${OLD}/layers/base`);
  assert.deepEqual(await usersOf(host), {
    [`/data/images/${imageName(recipe)}`]: ["the recipes of this checkout"],
    [`/data/images/${OLD}`]: [],
    "/data/images/kubernetes-ffffffffffff": ["a mount of a running machine"],
    [`/data/parts/${base}`]: ["the recipes of this checkout"],
    "/data/parts/base-0123456789ab": [],
    "/data/parts/etcd-3.0.0-0123456789ab": [],
  });
  const used = await usersOf(host, new Map([[OLD, ["the state of lab"]]]));
  assert.deepEqual(used[`/data/images/${OLD}`], ["the state of lab"]);
  assert.deepEqual(used["/data/parts/base-0123456789ab"], [`image ${OLD}`]);
});

test("drivers of virtual machines list the images that they have converted", async () => {
  const host = new RecordingHost({
    files: {
      "/data/qemu/images/abc.json": JSON.stringify({ names: ["a", "b"] }),
      "/data/qemu/images/abc.qcow2": "",
      "/data/virtualbox/images/c/disk.vdi": "",
    },
  });
  assert.deepEqual(await createQemuDriver(host).preparedImages?.(), [
    { name: "a", file: "/data/qemu/images/abc.qcow2" },
    { name: "b", file: "/data/qemu/images/abc.qcow2" },
  ]);
  assert.deepEqual(await createVirtualBoxDriver(host).preparedImages?.(), [
    { name: "c", file: "/data/virtualbox/images/c" },
  ]);
});
