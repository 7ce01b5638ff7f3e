// containerd confines pods with AppArmor wherever the kernel has it: nothing in a virtual machine switches it off.
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { script } from "../../../cloud-init/scripts/read-script";
import { grubConfiguration } from "../../../image/disk/boot-files";
import { layerFilesFolder } from "../../../image/image-files";
import { containerLayer } from "../../../image/recipes/container-layer";
import { diskOf } from "../../../image/recipes/disk";
import { kubernetesRecipe } from "../../../image/recipes/kubernetes";
import { rootTrees } from "../../../image/recipes/root-tree";
import { distributions } from "../../../model/distributions";
import { kubernetesVersions } from "../../../model/releases";

const layersFolder = path.dirname(layerFilesFolder("disk"));
const switchesOff = /disable_apparmor|apparmor\s*=\s*0|aa-teardown|unconfined/i;

/** Files below a folder that switch AppArmor off. */
const filesWith = (folder: string, pattern: RegExp): readonly string[] =>
  (fs.readdirSync(folder, { recursive: true, withFileTypes: true }) as fs.Dirent[])
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => pattern.test(fs.readFileSync(file, "utf8")))
    .map((file) => path.relative(folder, file));

test("each distribution's disk has AppArmor, and its kernel's command line leaves it on", () => {
  for (const distribution of distributions) {
    const disk = diskOf(distribution);
    assert.ok(disk.packages.includes("apparmor"), distribution);
    assert.doesNotMatch(grubConfiguration(disk), /apparmor|\bsecurity=|\blsm=/);
  }
});

test("no layer of a virtual machine masks or disables its service", () => {
  const layers = [
    ...distributions.map((distribution) => diskOf(distribution).layer),
    ...Object.values(rootTrees).map(({ layer }) => layer),
    ...kubernetesVersions.map((version) => kubernetesRecipe(version).layer),
  ];
  for (const { maskedUnits, disabledUnits } of layers) {
    assert.ok(![...maskedUnits, ...disabledUnits].some((unit) => unit.includes("apparmor")));
  }
});

test("only containerd of a system container is told to leave it off", () => {
  assert.deepEqual(filesWith(layersFolder, switchesOff), ["container/etc/containerd/conf.d/10-container.toml"]);
  assert.equal(containerLayer.folder, "container");
});

test("no seed or script switches it off", () => {
  const root = path.resolve(__dirname, "..", "..", "..");
  for (const folder of ["cloud-init", "test/golden"])
    assert.deepEqual(filesWith(path.join(root, folder), switchesOff), []);
  assert.doesNotMatch(script("common/node-ready"), switchesOff);
});
