import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { dataFolder, partsFolder } from "../../host/data-folder";
import { localHost } from "../../host/local-host";
import { asNamespaceRoot, ownNamespaces } from "../../host/namespaces";
import { runCommand } from "../../host/run-command";
import type { DiskRecord } from "../../image/build/sealed-disk";
import { ensureImages, layerFolder } from "../../image/build-images";
import { createBundle } from "../../image/parts/bundle";
import { type PartSource, partName } from "../../image/parts/part";
import { disk } from "../../image/recipes/disk";
import { imageFor } from "../../image/recipes/image-names";
import type { ImageRecipe } from "../../image/recipes/recipe";
import { defaultKubernetesVersion } from "../../model/releases";
import { volumes } from "../../model/volumes";
import { bundleScript } from "../support/bundle-script";
import { makeOrdinaryUser } from "../support/ordinary-user";
import { smallRecipe } from "../support/small-image";

const skip = process.getuid?.() === 0 ? false : "changing the user needs root";
const project = path.join(__dirname, "..", "..");

/** A disk whose tree has a hundredth of the real tree's size and all packages that the build needs. */
const recipe: ImageRecipe = {
  ...smallRecipe,
  container: undefined,
  disk: {
    ...disk,
    packages: [],
    volumes: volumes.map((volume) => ({ ...volume, sizeMiB: { infrastructure: 48, kubernetes: 48 } })),
  },
};

/** Places the project and a bundle with the tree where all users can read them. */
let folder = "";
const at = (name: string): string => path.join(folder, name);
let program = "";

before(async () => {
  if (skip) return;
  const name = imageFor("infrastructure", defaultKubernetesVersion, "disk");
  await ensureImages(localHost, { names: [name] });
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-user-"));
  fs.chmodSync(folder, 0o755);
  copyProject();
  await makeBundle(layersOf(name));
  fs.writeFileSync(at("recipe.json"), JSON.stringify(recipe));
  program = bundleScript("make-small-disk", at("project/dist"));
});

after(() => fs.rmSync(folder, { recursive: true, force: true }));

/** Copies the files by which the builder's process finds its project, and the files that it lays over trees. */
function copyProject(): void {
  for (const name of ["Pulumi.yaml", "package.json", "dist/image-builder.js", "image"]) {
    fs.cpSync(path.join(project, name), at(`project/${name}`), { recursive: true });
  }
}

/** The real image's layers, which contain the tools that write disks. */
function layersOf(name: string): string {
  const { recipe: whole } = readJson<DiskRecord>(path.join(dataFolder(), "images", name, "image.json"));
  const base = path.join(partsFolder(), partName({ kind: "root-tree", recipe: whole.rootTree }));
  const { digest } = readJson<{ readonly digest: string }>(path.join(base, "seal.json"));
  const layer = layerFolder(localHost, "disk", { disk: whole.disk, suite: whole.rootTree.suite }, digest);
  return [layer, base].map((folder) => path.join(folder, "content")).join(":");
}

const readJson = <T>(file: string): T => JSON.parse(fs.readFileSync(file, "utf8")) as T;

async function makeBundle(layers: string): Promise<void> {
  const script = path.join(__dirname, "..", "support", "make-small-tree.sh");
  const source: PartSource = {
    name: "small",
    provides: () => true,
    available: async () => ({ usable: true, reason: "always there" }),
    fetch: async (_part, target) => {
      await runCommand([...ownNamespaces, "sh", script, layers, target]);
      return "a test";
    },
  };
  const data = process.env.GROUNDPLANE_DATA;
  process.env.GROUNDPLANE_DATA = at("bundling");
  try {
    await createBundle(localHost, at("small.tar"), { recipes: [{ ...smallRecipe }], sources: [source] });
  } finally {
    if (data === undefined) delete process.env.GROUNDPLANE_DATA;
    else process.env.GROUNDPLANE_DATA = data;
  }
}

const make = (wanted = "recipe.json"): readonly string[] => [process.execPath, program, at("small.tar"), at(wanted)];

interface Refusal {
  readonly id: string;
  readonly problem: string;
  readonly hint: string;
}

test("an ordinary user builds the same disk as root, byte for byte, and can remove all files", {
  skip,
}, async () => {
  const user = makeOrdinaryUser(folder);
  const { stdout: asUser } = await user.run(make());
  const { stdout: asRoot } = await runCommand(make(), { env: { GROUNDPLANE_DATA: at("roots-data") } });
  const [[mine], [roots]] = [asUser, asRoot].map((text) => JSON.parse(text) as [DiskRecord]) as [
    [DiskRecord],
    [DiskRecord],
  ];
  assert.match(mine.digest, /^sha256:/);
  assert.equal(mine.digest, roots.digest);

  const file = path.join(user.home, "data/images", mine.name, "disk.raw");
  assert.equal(fs.statSync(file).uid, fs.statSync(user.home).uid, "the disk is the user's own");
  const { stdout: again } = await user.run(make());
  assert.deepEqual(JSON.parse(again), [mine]);
  await user.run([...asNamespaceRoot, "rm", "-r", path.join(user.home, "data")]);
  assert.deepEqual(fs.readdirSync(user.home), []);
});

test("a user without user namespaces gets the reason and the next step, and nothing remains", { skip }, async () => {
  const user = makeOrdinaryUser(folder, false);
  const { stdout } = await user.run(make());
  const { id, problem, hint } = JSON.parse(stdout) as Refusal;
  assert.equal(id, "image-needs-root");
  assert.match(problem, /groundplane-test has no subordinate ids/);
  assert.match(hint, /usermod --add-subuids .*or build as root, or load a bundle/);
  const left = ["images", "parts"].flatMap((name) => {
    const stored = path.join(user.home, "data", name);
    return fs.existsSync(stored) ? fs.readdirSync(stored) : [];
  });
  assert.deepEqual(left, []);
});

test("the error names a volume that its files do not fit in, and no disk remains", { skip }, async () => {
  const tight = (recipe.disk ?? disk).volumes.map((volume) =>
    volume.name === "usr" ? { ...volume, sizeMiB: { infrastructure: 24, kubernetes: 24 } } : volume,
  );
  fs.writeFileSync(at("tight.json"), JSON.stringify({ ...recipe, disk: { ...recipe.disk, volumes: tight } }));
  const { stdout } = await runCommand(make("tight.json"), { env: { GROUNDPLANE_DATA: at("tight-data") } });
  const { id, problem } = JSON.parse(stdout) as Refusal;
  assert.equal(id, "command-failed");
  assert.match(problem, /the volume of \/usr, 24 MiB, could not take its files/);
  assert.deepEqual(fs.readdirSync(at("tight-data/images")), []);
});

test("a full disk during the creation of file systems is reported, and no disk remains", { skip }, async () => {
  const data = at("full-data");
  fs.mkdirSync(data);
  // The bundle and its unpacked tree fit. The disk's file systems would need the same space a third time.
  const size = 2 * fs.statSync(at("small.tar")).size + 4 * 1024 * 1024;
  const script = [`mount -t tmpfs -o size=${size} tmpfs "$0"`, '"$@"', 'ls "$0/images" >&2'].join("\n");
  const argv = ["unshare", "--mount", "--propagation", "private", "sh", "-ec", script, data, ...make()];
  const { stdout, stderr } = await runCommand(argv, { env: { GROUNDPLANE_DATA: data } });
  const { id, hint } = JSON.parse(stdout) as Refusal;
  assert.equal(id, "disk-full", stdout);
  assert.match(hint, /free about 5 GB/);
  assert.equal(stderr, "");
});
