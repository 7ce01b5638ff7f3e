import * as assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { before, test } from "node:test";
import { dataFolder, partsFolder } from "../../host/data-folder";
import { localHost } from "../../host/local-host";
import { runCommand } from "../../host/run-command";
import { ensureImages } from "../../image/build-images";
import { createBundle } from "../../image/parts/bundle";
import { partName } from "../../image/parts/part";
import { programSource } from "../../image/parts/program-source";
import { imageName, imageRecipes } from "../../image/recipes/image-names";
import type { ImageRecipe } from "../../image/recipes/recipe";
import { defaultKubernetesVersion } from "../../model/releases";
import { ownDataFolder, storedNames } from "../support/small-image";
import { typescriptArguments } from "../support/typescript-arguments";

/** The real root tree and containerd, with few and small container images. */
const needsRoot = { skip: process.getuid?.() !== 0 && "needs root" };
const version = defaultKubernetesVersion;
const [, full] = imageRecipes(version, "tree");
const few = fewContainerImages(full ?? assert.fail("no recipe for Kubernetes"));

function fewContainerImages(recipe: ImageRecipe): ImageRecipe {
  const { kubernetes } = recipe;
  if (!kubernetes) throw new Error("the recipe has no Kubernetes");
  const parts = kubernetes.parts.filter(({ name }) => ["pause", "containerd"].includes(name));
  const containerImages = kubernetes.containerImages.filter(({ name }) => /pause|busybox/.test(name));
  return { ...recipe, kubernetes: { ...kubernetes, nodePrograms: [], parts, containerImages } };
}

before(async () => {
  if (!needsRoot.skip) await ensureImages(localHost);
});

const script = path.join(__dirname, "..", "support", "make-images.ts");

/** The real root tree and containerd in the test's own data folder. Their files are links: no test may write to them. */
async function withRealTree(data: string, original: string): Promise<void> {
  const containerd = few.kubernetes?.parts.find(({ name }) => name === "containerd") ?? assert.fail("no containerd");
  await fs.mkdir(path.join(data, "parts"), { recursive: true });
  for (const name of [
    partName({ kind: "root-tree", recipe: few.rootTree }),
    partName({ kind: "programs", recipe: containerd }),
  ])
    await runCommand(["cp", "-al", path.join(original, name), path.join(data, "parts", name)]);
}

test("a damaged containerd store is detected and rebuilt, with every image unpacked", needsRoot, async (t) => {
  const original = partsFolder();
  // Beside the real data folder, because hard links do not cross file systems.
  const data = await ownDataFolder(t, path.dirname(dataFolder()));
  await withRealTree(data, original);
  const build = () => ensureImages(localHost, { recipes: [few], sources: [programSource(localHost)] });
  const [first] = await build();
  assert.deepEqual(first?.layers, ["container", "kubernetes", "base"]);

  const store = path.join(data, "images", imageName(few), "containerd");
  const snapshots = path.join(store, "io.containerd.snapshotter.v1.overlayfs", "snapshots");
  const files = await fs.readdir(snapshots, { recursive: true });
  const pause = files.find((name) => name.endsWith("/fs/pause")) ?? assert.fail("pause is not unpacked");
  assert.ok(files.some((name) => name.endsWith("/fs/usr/bin/busybox")));
  const { stdout } = await runCommand([path.join(snapshots, pause), "-v"]);
  assert.match(stdout, /^pause \d+\.\d+/);

  await fs.appendFile(path.join(snapshots, pause), "x");
  const messages: string[] = [];
  const [second] = await ensureImages(localHost, {
    recipes: [few],
    sources: [programSource(localHost)],
    progress: ({ message }) => messages.push(message),
  });
  assert.ok(messages.some((message) => /is damaged \(.*pause has changed\)/.test(message)));
  assert.equal(second?.digest, first?.digest);
  await runCommand([path.join(snapshots, pause), "-v"]);
});

test("a bundle is enough to build images on a host without network and caches", needsRoot, async (t) => {
  const beside = path.dirname(dataFolder());
  const folder = await fs.mkdtemp(path.join(beside, "groundplane-bundle-"));
  t.after(() => fs.rm(folder, { recursive: true, force: true }));
  const file = path.join(folder, "bundle.tar");
  // Not in the data folder below, which gets only the bundle.
  await createBundle(localHost, file, { recipes: [full ?? few] });
  const data = await ownDataFolder(t, beside);
  const { stdout } = await runCommand(["unshare", "--net", "node", ...typescriptArguments, script, file], {
    env: { GROUNDPLANE_DATA: data, GOFLAGS: "-mod=mod", GOMODCACHE: path.join(folder, "empty"), GOPROXY: "off" },
  });
  const records = JSON.parse(stdout) as { name: string; createdFrom: Record<string, string> }[];
  assert.deepEqual(
    records.map(({ name }) => name),
    imageRecipes(version, "tree").map(imageName),
  );
  for (const { createdFrom } of records) {
    for (const origin of Object.values(createdFrom)) assert.match(origin, /by way of a bundle$/);
  }
});

test("without network, bundle and caches the error names the next step, and nothing is left", needsRoot, async (t) => {
  const data = await ownDataFolder(t);
  const { stdout } = await runCommand(["unshare", "--net", "node", ...typescriptArguments, script]);
  const { id, message } = JSON.parse(stdout) as { id: string; message: string };
  assert.equal(id, "network");
  assert.match(message, /Debian mirror cannot be reached\n {2}next step: .*bundle/);
  assert.deepEqual(await storedNames(data), []);
});
