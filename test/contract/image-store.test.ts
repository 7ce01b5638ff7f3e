import * as assert from "node:assert/strict";
import { spawn } from "node:child_process";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { test } from "node:test";
import { localHost } from "../../host/local-host";
import { runCommand } from "../../host/run-command";
import { ensureImages } from "../../image/build-images";
import { imageName } from "../../image/recipes/image-names";
import { UserError } from "../../model/user-error";
import {
  ownDataFolder,
  type SmallSource,
  smallDiskRecipe,
  smallRecipe,
  smallSource,
  storedNames,
} from "../support/small-image";
import { typescriptArguments } from "../support/typescript-arguments";

const builder = path.join(__dirname, "..", "support", "build-small-image.ts");
const isRoot = process.getuid?.() === 0;

const build = (source: SmallSource, verify = false) =>
  ensureImages(localHost, { recipes: [smallRecipe], sources: [source], verify });

/** The tree's file, found through the image. */
const toolIn = (data: string): string => path.join(data, "images", imageName(smallRecipe), "layers/base/usr/bin/tool");

test("an absent image is built, an existing one stays unchanged", async (t) => {
  const data = await ownDataFolder(t);
  const source = smallSource();
  const [first] = await build(source);
  assert.deepEqual(first?.layers, ["container", "base"]);
  assert.match(first?.digest ?? "", /^[0-9a-f]{64}$/);
  assert.deepEqual(first?.createdFrom, { base: "a test" });
  assert.equal((await fs.readFile(toolIn(data), "utf8")).length, 1024);
  const record = await fs.readFile(path.join(data, "images", imageName(smallRecipe), "image.json"), "utf8");
  assert.deepEqual(JSON.parse(record), first);

  const [second] = await build(source, true);
  assert.equal(source.fetches(), 1);
  assert.equal(second?.digest, first?.digest);
});

const damages: Readonly<Record<string, (tool: string) => Promise<void>>> = {
  "is longer": (tool) => fs.appendFile(tool, "more"),
  "is missing": (tool) => fs.rm(tool),
  "is not executable": (tool) => fs.chmod(tool, 0o644),
  "has a new neighbour": (tool) => fs.writeFile(`${tool}2`, ""),
  "has a seal that is not JSON": async (tool) => {
    const content = await fs.realpath(path.join(path.dirname(tool), "../.."));
    await fs.writeFile(path.join(content, "../seal.json"), '{"digest": "');
  },
};

for (const [what, damage] of Object.entries(damages)) {
  test(`a damaged part is detected and rebuilt: its file ${what}`, async (t) => {
    const data = await ownDataFolder(t);
    const source = smallSource();
    const [before] = await build(source);
    await damage(toolIn(data));
    const [after] = await build(source);
    assert.equal(source.fetches(), 2);
    assert.equal(after?.digest, before?.digest);
    assert.equal((await fs.readFile(toolIn(data), "utf8")).length, 1024);
    assert.deepEqual((await fs.readdir(path.dirname(toolIn(data)))).sort(), ["tool"]);
    assert.ok(!(await storedNames(data)).some((name) => /partial|discarded/.test(name)));
  });
}

test("a changed byte with an unchanged size and time is detected when every byte is read", async (t) => {
  const data = await ownDataFolder(t);
  const source = smallSource();
  await build(source);
  // In the middle of the millisecond, because times are not set with nanosecond precision.
  const time = (Math.trunc((await fs.stat(toolIn(data))).mtimeMs) + 0.5) / 1000;
  const handle = await fs.open(toolIn(data), "r+");
  await handle.write("y", 512);
  await handle.close();
  await fs.utimes(toolIn(data), time, time);
  await build(source);
  assert.equal(source.fetches(), 1);
  await build(source, true);
  assert.equal(source.fetches(), 2);
  assert.ok(!(await fs.readFile(toolIn(data), "utf8")).includes("y"));
});

test("a disk whose bytes differ from its digest is detected and rebuilt", async (t) => {
  const data = await ownDataFolder(t);
  const source = smallSource();
  const ensure = (verify: boolean) =>
    ensureImages(localHost, { recipes: [smallDiskRecipe], sources: [source], verify });
  const [first] = await ensure(false);
  const file = path.join(data, "images", imageName(smallDiskRecipe), "disk.raw");
  const time = (Math.trunc((await fs.stat(file)).mtimeMs) + 0.5) / 1000;
  const handle = await fs.open(file, "r+");
  await handle.write("y", 512);
  await handle.close();
  await fs.utimes(file, time, time);
  await ensure(false);
  assert.equal(source.fetches(), 1);
  const [second] = await ensure(true);
  assert.equal(source.fetches(), 2);
  assert.equal(second?.digest, first?.digest);
  await fs.appendFile(file, "y");
  await ensure(false);
  assert.equal(source.fetches(), 3);
});

test("a source that fails or is aborted leaves no incomplete image, and the next build succeeds", async (t) => {
  const data = await ownDataFolder(t);
  const failing = smallSource(1024, async () => {
    throw new UserError("network", "the mirror has gone", "try again");
  });
  await assert.rejects(build(failing), (error) => error instanceof UserError && error.id === "network");
  assert.deepEqual(await storedNames(data), []);

  const abort = new AbortController();
  const aborting = smallSource(1024, async () => abort.abort(new Error("enough")));
  const options = { recipes: [smallRecipe], sources: [aborting], signal: abort.signal };
  await assert.rejects(ensureImages(localHost, options), /enough/);
  assert.deepEqual(await storedNames(data), []);
  await build(smallSource());
});

test("two concurrent builders build once", async (t) => {
  await ownDataFolder(t);
  const source = smallSource(1024, () => new Promise((resolve) => setTimeout(resolve, 300)));
  const inAnotherProcess = runCommand(["node", ...typescriptArguments, builder, "1024"]);
  const [here, there] = [build(source), build(source)];
  const [{ stdout }] = await Promise.all([inAnotherProcess, here, there]);
  const elsewhere = stdout.includes("fetching") ? 1 : 0;
  assert.equal(source.fetches() + elsewhere, 1);
});

test("the next builder replaces the partial work of a killed builder", async (t) => {
  const data = await ownDataFolder(t);
  const child = spawn("node", [...typescriptArguments, builder, "1024", "hang"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise((resolve) => child.stdout.once("data", resolve));
  child.kill("SIGKILL");
  assert.ok((await storedNames(data)).some((name) => name.endsWith(".partial")));
  await build(smallSource());
  assert.ok(!(await storedNames(data)).some((name) => name.endsWith(".partial")));
});

for (const form of ["tree", "disk"] as const) {
  test(`a full disk gives a clear error and leaves no incomplete ${form}`, {
    skip: !isRoot && "needs root",
  }, async (t) => {
    const data = await ownDataFolder(t);
    // A small private file system, which ends with the child process.
    const script = [
      'mount -t tmpfs -o size=2m tmpfs "$GROUNDPLANE_DATA"',
      `node ${typescriptArguments.join(" ")} ${builder} 4000000 ${form}`,
      'cd "$GROUNDPLANE_DATA" && find . -mindepth 2',
    ].join("; ");
    const { stdout } = await runCommand(["unshare", "--mount", "--propagation", "private", "sh", "-c", script], {
      env: { GROUNDPLANE_DATA: data },
    });
    assert.deepEqual(stdout.trim().split("\n"), ["fetching", "failed disk-full"]);
  });
}
