import assert from "node:assert/strict";
import * as path from "node:path";
import { test } from "node:test";
import { addOnRecipesOf, checkAddOns, ensureAddOns } from "../../../image/build-add-ons";
import { partsOf } from "../../../image/parts/bundle-parts";
import { type PartSource, partName } from "../../../image/parts/part";
import { archiveName } from "../../../image/recipes/add-ons";
import { storedImages } from "../../../image/stored-images";
import { addOnNames } from "../../../model/add-ons";
import { defaultKubernetesVersion } from "../../../model/releases";
import { RecordingHost } from "../../support/recording-host";

const wishes = (...names: readonly string[]) => ({
  kubernetesVersion: defaultKubernetesVersion,
  addons: {
    "metrics-server": names.includes("metrics-server"),
    metallb: names.includes("metallb"),
    registry: names.includes("registry"),
  },
});

/** Programs whose text is their name. */
function source(): PartSource & { readonly fetched: string[] } {
  const fetched: string[] = [];
  return {
    ...{ name: "test", fetched, provides: () => true, available: async () => ({ usable: true, reason: "" }) },
    fetch: async (part, target, { host }) => {
      assert.ok(part.kind === "programs");
      fetched.push(part.recipe.name);
      for (const program of part.recipe.programs)
        await host.files.writeAtomic(path.join(target, program), program, 0o755);
      return "a test";
    },
  };
}

test("a stack without add-ons builds none of them", async () => {
  const [host, programs] = [new RecordingHost({}), source()];
  assert.deepEqual(await ensureAddOns(host, addOnRecipesOf(wishes()), { sources: [programs] }), []);
  assert.deepEqual([programs.fetched, host.memory.names()], [[], ["/"]]);
});

test("an archive is built once from its programs, without a command, and again when it is damaged", async () => {
  const [host, programs] = [new RecordingHost({}), source()];
  const recipes = addOnRecipesOf(wishes("metallb"));
  const build = () => ensureAddOns(host, recipes, { sources: [programs], verify: true });
  const [first] = await build();
  const [recipe] = recipes;
  assert.ok(first && recipe);
  assert.equal(path.basename(first.folder), archiveName(recipe));
  const archive = path.join(first.content, "image.tar");
  const text = (await host.files.readText(archive)) ?? "";
  for (const part of ["usr/bin/controller", "usr/bin/speaker", recipe.image.name]) assert.ok(text.includes(part), part);
  assert.equal((await build())[0]?.digest, first.digest);
  assert.deepEqual(programs.fetched, ["metallb"]);
  await host.files.writeAtomic(archive, "damaged");
  assert.equal((await build())[0]?.digest, first.digest, "the same bytes");
  assert.deepEqual(programs.fetched, ["metallb"], "its programs are still there");
  assert.deepEqual(host.log, []);
});

test("doctor tells which add-ons are built, and prune keeps them", async () => {
  const host = new RecordingHost({ files: { "/proc/self/mountinfo": "" } });
  const recipes = addOnRecipesOf(wishes(...addOnNames));
  const states = async () => (await checkAddOns(host, recipes)).map(({ state }) => state);
  assert.deepEqual(await states(), ["warning", "warning", "warning"]);
  await ensureAddOns(host, recipes.slice(0, 1), { sources: [source()] });
  assert.deepEqual(await states(), ["ok", "warning", "warning"]);
  const stored = await storedImages(host, new Map());
  assert.equal(stored.length, 2, "programs and archive");
  for (const { path: file, users } of stored) assert.deepEqual(users, ["the recipes of this checkout"], file);
});

test("a bundle contains the programs of a stack's add-ons once", () => {
  const programs = addOnRecipesOf(wishes(...addOnNames)).map((recipe) => recipe.programs);
  const parts = partsOf([], [...programs, ...programs]);
  assert.deepEqual(
    parts.map(partName),
    programs.map((recipe) => partName({ kind: "programs", recipe })),
  );
});
