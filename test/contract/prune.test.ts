// `prune` on a data folder with small images, real locks and real processes.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { type TestContext, test } from "node:test";
import { type PruneReport, prune } from "../../cli/prune";
import { pruneAreas } from "../../cli/prune-areas";
import { localHost } from "../../host/local-host";
import { ensureImages } from "../../image/build-images";
import { imageName } from "../../image/recipes/image-names";
import { COMMAND_PLUGIN_VERSION, PULUMI_VERSION } from "../../toolchain/pulumi-tool";
import { ownDataFolder, smallRecipe, smallSource, storedNames } from "../support/small-image";
import { typescriptArguments } from "../support/typescript-arguments";

const image = imageName(smallRecipe);
const DAY_S = 24 * 3600;

function write(file: string, text = "text", ageSeconds = 0): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
  const then = Date.now() / 1000 - ageSeconds;
  fs.utimesSync(file, then, then);
}

async function withImage(t: TestContext): Promise<string> {
  const data = fs.realpathSync(await ownDataFolder(t));
  await ensureImages(localHost, { recipes: [smallRecipe], sources: [smallSource()] });
  return data;
}

const run = async (remove: boolean): Promise<PruneReport> => prune(await pruneAreas(), { remove });
const unused = ({ unused: found }: PruneReport): readonly string[] =>
  found.map((each) => path.basename(each.path)).sort();

test("a dry run changes nothing; a removal leaves everything that is no cache", async (t) => {
  const data = await withImage(t);
  const precious = ["passphrase", "disks/lab/brick/data/file", "state/.pulumi/stacks/groundplane/lab.json"];
  precious.push("stacks/lab/kubeconfig", "bundle/bundle.json", "part-files/runc-1/file", "fake/lab/disks/a.json");
  for (const file of precious) write(path.join(data, file), "{}");
  const before = await storedNames(data);
  const listed = await run(false);
  assert.deepEqual(await storedNames(data), before);
  assert.ok(unused(listed).includes(image));
  assert.ok(listed.bytes >= 1024, `${listed.bytes}`);
  assert.equal(listed.removed, false);
  const removed = await run(true);
  assert.deepEqual(unused(removed), unused(listed));
  assert.equal(removed.bytes, listed.bytes);
  assert.deepEqual(
    (await storedNames(data)).filter((name) => before.includes(name) && !name.includes("container-layer")),
    [],
  );
  for (const file of precious) assert.ok(fs.existsSync(path.join(data, file)), file);
  assert.deepEqual(unused(await run(true)), [], "nothing is left to remove");
});

test("an image that a machine or a state names stays with its parts", async (t) => {
  const data = await withImage(t);
  const before = await storedNames(data);
  for (const file of ["stacks/lab/machines/gateway/machine.json", "state/.pulumi/stacks/groundplane/lab.json.bak"]) {
    write(path.join(data, file), JSON.stringify({ spec: { image } }));
    const report = await run(true);
    assert.deepEqual(await storedNames(data), before, file);
    const users = report.kept.find((each) => each.path.endsWith(image))?.users;
    assert.match(String(users), /^the (?:machines|state) of lab$/, file);
    fs.rmSync(path.join(data, file));
  }
});

test("what an interrupted build, removal or write left is removed", async (t) => {
  const data = await ownDataFolder(t);
  const left = [
    "images/a.partial/file",
    "parts/b.discarded-0123abcd/file",
    "parts/downloads/c.partial",
    "parts/go-v0.0.1.zip.partial",
  ];
  left.push("tools/pulumi-1.0.0.discarded-0123abcd/bin/pulumi", `tools/language-host-0.js.${2 ** 22 + 1}.0123abcd.tmp`);
  for (const file of left) write(path.join(data, file));
  const own = path.join(data, `tools/x.js.${process.pid}.0123abcd.tmp`);
  write(own);
  assert.equal((await run(true)).unused.length, left.length);
  for (const file of left) assert.ok(!fs.existsSync(path.join(data, file)), file);
  assert.ok(fs.existsSync(own), "its process runs");
});

test("of tools and plugins, versions stay that this checkout, a state, a launcher or a recent start uses", async (t) => {
  const data = await ownDataFolder(t);
  const [old, launched, recent] = ["0", "1", "2"].map((digit) => `command-plugin-${digit.repeat(16)}.js`);
  write(path.join(data, "tools", old ?? ""), "old", 2 * DAY_S);
  write(path.join(data, "tools", launched ?? ""), "launched", 2 * DAY_S);
  write(path.join(data, "tools", recent ?? ""), "recent", DAY_S / 2);
  const plugins = path.join(data, "pulumi", "plugins");
  write(
    path.join(plugins, `resource-command-v${COMMAND_PLUGIN_VERSION}`, "pulumi-resource-command"),
    `exec node '${launched}'`,
  );
  for (const version of ["1.0.0", "1.1.0"]) write(path.join(plugins, `resource-command-v${version}`, "program"));
  const provider = { type: "pulumi:providers:command", inputs: { version: "1.1.0" } };
  write(
    path.join(data, "state/.pulumi/stacks/groundplane/lab.json"),
    JSON.stringify({ resources: [provider] }, null, 2),
  );
  for (const version of ["1.0.0", PULUMI_VERSION])
    write(path.join(data, "tools", `pulumi-${version}`, "bin", "pulumi"));
  write(path.join(data, "tools", "of-another-program"));
  assert.deepEqual(unused(await run(true)), [old, "pulumi-1.0.0", "resource-command-v1.0.0"]);
});

test("what another process locks or builds is left alone", async (t) => {
  const data = await withImage(t);
  const before = await storedNames(data);
  const lock = path.join(data, "build-images.lock");
  const holder = spawn("flock", [lock, "-c", "echo held; read -r line"], { stdio: ["pipe", "pipe", "ignore"] });
  t.after(() => holder.kill("SIGKILL"));
  await new Promise((resolve) => holder.stdout.once("data", resolve));
  const { leftAlone } = await run(true);
  assert.deepEqual(await storedNames(data), before);
  assert.match(leftAlone[0]?.reason ?? "", /^another process works on it, which holds .*build-images\.lock$/);
  holder.stdin.end("\n");
  await new Promise((resolve) => holder.once("close", resolve));

  const pulumiLock = path.join(data, "state/.pulumi/locks/organization/groundplane/lab/a.json");
  write(pulumiLock, JSON.stringify({ pid: 1, hostname: "another-host" }));
  assert.equal((await run(true)).leftAlone[0]?.reason, "Pulumi works on lab");
  assert.deepEqual(await storedNames(data), before);
  fs.rmSync(pulumiLock);

  const other = fs.realpathSync(await ownDataFolder(t));
  fs.symlinkSync(path.join(data, "images"), path.join(other, "images"));
  assert.match((await run(true)).leftAlone[0]?.reason ?? "", /is a link to .*, which other data folders may use/);
  assert.deepEqual(await storedNames(data), before);
});

test("a removal that is killed leaves nothing under the old name, and the next one completes it", async (t) => {
  const data = fs.realpathSync(await ownDataFolder(t));
  const folder = path.join(data, "images", "kubernetes-0123456789ab");
  for (let index = 0; index < 200; index++)
    for (let file = 0; file < 100; file++) {
      fs.mkdirSync(path.join(folder, String(index)), { recursive: true });
      fs.writeFileSync(path.join(folder, String(index), String(file)), "");
    }
  const argv = [...typescriptArguments, path.join(__dirname, "..", "..", "cli", "main.ts"), "prune", "--yes"];
  const child = spawn(process.execPath, argv, { stdio: "ignore", env: { ...process.env, GROUNDPLANE_DATA: data } });
  const ended = new Promise((resolve) => child.once("close", resolve));
  const names = (): readonly string[] => fs.readdirSync(path.join(data, "images"));
  while (child.exitCode === null && !names().some((name) => name.includes(".discarded-")))
    await new Promise((resolve) => setTimeout(resolve, 1));
  child.kill("SIGKILL");
  await ended;
  assert.ok(!fs.existsSync(folder));
  // None, if this process got no processor until the removal had ended.
  const left = names().length;
  assert.ok(left <= 1);
  assert.equal((await run(true)).unused.length, left);
  assert.deepEqual(names(), []);
});

test("a state that cannot be read stops it before anything is removed", async (t) => {
  const data = await withImage(t);
  const before = await storedNames(data);
  write(path.join(data, "state/.pulumi/stacks/groundplane/lab.json.gz"), "no gzip");
  await assert.rejects(run(true), { id: "state-unreadable" });
  assert.deepEqual(await storedNames(data), before);
});
