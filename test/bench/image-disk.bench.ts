import * as fs from "node:fs";
import * as path from "node:path";
import { dataFolder, imagesFolder, partsFolder } from "../../host/data-folder";
import { localHost } from "../../host/local-host";
import { runCommand } from "../../host/run-command";
import { DISK_FILE } from "../../image/build/sealed-disk";
import { ensureImages } from "../../image/build-images";
import { imageFor } from "../../image/recipes/image-names";
import { exampleConfiguration, exampleSettings } from "../support/example-stacks";
import { type Bench, type Round, secondsOf } from "./bench";

const MIB = 1024 ** 2;

/** Builds disk images from present parts; the limit is a plain copy of the root tree that they contain. */
export const imageDisk: Bench = {
  rows: [
    { name: "image-disk-build", unit: "s", what: "infrastructure disk from its parts; limit: a copy of its root tree" },
    { name: "image-disk-used", unit: "MiB", what: "disk space that it takes; limit: the same" },
    { name: "image-disk-packed", unit: "MiB", what: "its size in a bundle; limit: the root tree in a compressed tar" },
    {
      name: "image-kubernetes-disk-build",
      unit: "s",
      what: "Kubernetes disk from its parts, including the containerd store",
    },
  ],
  configurations: [exampleSettings("lab")],
  onlyWhenNamed: true,
  unavailable: async () => (process.getuid?.() === 0 ? undefined : "it needs root"),
  async measure(round) {
    const data = dataFolder();
    const folder = fs.mkdtempSync(path.join(data, "bench-"));
    fs.mkdirSync(partsFolder(), { recursive: true });
    fs.symlinkSync(partsFolder(), path.join(folder, "parts"));
    process.env.GROUNDPLANE_DATA = folder;
    try {
      await measureBuilds(round, folder);
    } finally {
      process.env.GROUNDPLANE_DATA = data;
      fs.rmSync(folder, { recursive: true });
    }
  },
};

async function measureBuilds(round: Round, folder: string): Promise<void> {
  const { signal } = round;
  const { kubernetesVersion } = exampleConfiguration("lab");
  const infrastructure = imageFor("infrastructure", kubernetesVersion, "disk");
  const tree = imageFor("infrastructure", kubernetesVersion, "tree");
  // Missing parts are built before the measurement starts.
  await ensureImages(localHost, { names: [infrastructure, tree], signal });
  fs.rmSync(path.join(imagesFolder(), infrastructure), { recursive: true });
  const seconds = await secondsOf(() => ensureImages(localHost, { names: [infrastructure], signal }));
  const copy = path.join(folder, "copy");
  // A layer is a symbolic link: copy its target.
  const rootTree = fs.realpathSync(path.join(imagesFolder(), tree, "layers", "base"));
  const copying = await secondsOf(() => runCommand(["cp", "--archive", rootTree, copy], { signal }));
  round.record("image-disk-build", { value: seconds, limit: copying });
  const disk = path.join(imagesFolder(), infrastructure, DISK_FILE);
  round.record("image-disk-used", { value: await usedMib(disk), limit: await usedMib(copy) });
  const packed = [path.join(folder, "disk.zst"), path.join(folder, "tree.tar.zst")] as const;
  await runCommand(["zstd", "--quiet", "-3", "--threads=0", disk, "-o", packed[0]], { signal });
  await runCommand(["tar", "--create", "--zstd", "--file", packed[1], "--directory", copy, "."], { signal });
  round.record("image-disk-packed", { value: sizeMib(packed[0]), limit: sizeMib(packed[1]) });
  if (!round.wants("image-kubernetes-disk-build")) return;
  const kubernetes = imageFor("kubernetes", kubernetesVersion, "disk");
  round.record("image-kubernetes-disk-build", {
    value: await secondsOf(() => ensureImages(localHost, { names: [kubernetes], signal })),
  });
}

async function usedMib(file: string): Promise<number> {
  const { stdout } = await runCommand(["du", "--summarize", "--block-size=1", file]);
  return Number.parseInt(stdout, 10) / MIB;
}

const sizeMib = (file: string): number => fs.statSync(file).size / MIB;
